"""The gates before a mail leaves: what clients can show, who can read it, where it leads, how large it is, its headers.

Pure: the mail, what the edition may hold and the data come as arguments; what comes back are faults with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.policy import default as modern
from typing import TYPE_CHECKING, Final

import lxml.html

from syndicate.errors import Fault
from syndicate.render import brand, lint_access, lint_clients, lint_links
from syndicate.render.frozen import splice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syndicate.render.frozen import Frozen
    from syndicate.render.lint_clients import Support
    from syndicate.render.lint_links import Known
    from syndicate.render.templates import Templates

MOST_HTML: Final = 95_000  # bytes; Gmail clips near 102 KB
MOST_STYLES: Final = 16_384  # bytes left in the head; Gmail drops what is above
MOST_UNSUBSCRIBE: Final = 60  # characters of the link; beyond, some relays fold the header and break it
RAW: Final = ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "List-Archive", "List-Help", "Feedback-ID", "Message-ID")
_ONE_CLICK: Final = "List-Unsubscribe=One-Click"  # RFC 8058 §3.1
_FOLDER: Final = "email/"


def faults(
    frozen: Frozen,
    known: Known,
    *,
    lang: str,
    direction: str,
    colours: Mapping[str, str],
    support: Support,
    templates: Templates,
) -> list[Fault]:
    """Every fault of one finished mail, each once; empty where it may leave."""
    html = splice(frozen.html, lint_links.FILLED, html=True)
    document = lxml.html.document_fromstring(html)
    found = [
        *(_fault("clients", told, where, templates) for told, where in _clients(document, support)),
        *(
            _fault("access", told, where, templates)
            for told, where in lint_access.complaints(document, lang=lang, direction=direction)
        ),
        *(_fault("links", told, where, templates) for told, where in lint_links.complaints(frozen, document, known)),
        *_sizes(frozen, document),
        *brand.faint(colours),
    ]
    return list(dict.fromkeys(found))


def _clients(document: lxml.html.HtmlElement, support: Support) -> Iterator[tuple[str, str]]:
    for lack in lint_clients.lacking(document, support):
        clients = ", ".join(lack.clients[:3]) + (f" and {len(lack.clients) - 3} more" if len(lack.clients) > 3 else "")  # noqa: PLR2004 - enough to know
        yield f"{lack.title} ({lack.told}) is not known to {clients}", lack.told


def _sizes(frozen: Frozen, document: lxml.html.HtmlElement) -> Iterator[Fault]:
    styles = sum(len((element.text or "").encode()) for element in document.iter("style"))
    if frozen.size > MOST_HTML:
        what = f"{frozen.size:,} bytes of HTML, and mail clients cut it off near 102,000"
        yield Fault(file="templates/email", rule="size", what=what, right=f"{MOST_HTML:,} is the limit")
    if styles > MOST_STYLES:
        what = f"{styles:,} bytes of styles are left in the head, and Gmail drops what is above {MOST_STYLES:,}"
        yield Fault(file="templates/email", rule="size", what=what, right="put rules that can be inlined into the first block")


def headers(data: bytes, *, listed: bool = True) -> Iterator[Fault]:
    """The headers of one finished message: what must stay raw on one line does, and it can be read back.

    ``listed``: it goes to subscribers, who must have a way out.
    """
    head = data.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    fields = re.split(r"\r\n(?![ \t])", head)
    for name in RAW:
        for field in (field for field in fields if field.lower().startswith(f"{name.lower()}:")):
            if "=?" in field or "\r\n" in field or not field.isascii():
                yield _header(name, "it is folded or encoded, and mail clients then do not know it")
    named = {field.partition(":")[0].lower(): field.partition(":")[2].strip() for field in fields}
    if listed and not re.fullmatch(r"<https?://[\x21-\x3b\x3d\x3f-\x7e]+>", named.get("list-unsubscribe", "")):
        yield _header("List-Unsubscribe", "it holds no single https link (RFC 8058 §3.1)")
    if listed and named.get("list-unsubscribe-post") != _ONE_CLICK:
        yield _header("List-Unsubscribe-Post", f"it is not {_ONE_CLICK} (RFC 8058 §3.1)")
    if any(part.defects for part in message_from_bytes(data, policy=modern).walk()):
        yield _header("MIME", "the message cannot be read back without defects")


def long_link(url: str) -> str:
    """A sentence of advice where a reader's link to unsubscribe is so long that some relays would fold it; else ""."""
    if len(url) <= MOST_UNSUBSCRIBE:
        return ""
    return f"the link to unsubscribe has {len(url)} characters, and some relays break a header's link above {MOST_UNSUBSCRIBE}"


def _header(name: str, what: str) -> Fault:
    return Fault(file="mail header", rule=name, what=what)


def _fault(rule: str, what: str, where: str, templates: Templates) -> Fault:
    file, line = place(templates, [where, where.partition(":")[0] + ":" if ":" in where else where])
    return Fault(file=file, line=line, rule=rule, what=what)


def place(templates: Templates, needles: Iterable[str]) -> tuple[str, int]:
    """File and line of the first template of the mail that holds one of these; the folder where none does."""
    for needle in needles:
        for name in templates.names(_FOLDER):
            for number, line in enumerate(templates.source(name).splitlines(), start=1):
                if needle and needle in line:
                    return f"templates/{name}", number
    return "templates/email", 0
