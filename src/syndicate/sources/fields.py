"""What a field of the front matter means, and a fault with its line where it means nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from syndicate.config.lines import CURLY, is_curled
from syndicate.errors import Fault, SourceError
from syndicate.links import is_tag_uri
from syndicate.model import Status
from syndicate.sources.dates import RIGHT, parse_instant
from syndicate.sources.frontmatter import Matter, Node

_TRUE: Final = frozenset({"true", "yes", "on", "y", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "n", "0"})
_TOKEN: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._~-]{0,127}")
_FORMER: Final = re.compile(r"(urn:[a-z0-9][a-z0-9-]{0,31}:|https?://)[0-9a-z;/?:@&=+$.\-_!~*'()%,#]+", re.IGNORECASE)
_GUID: Final = re.compile(r"[!-~]{1,255}")
_LANG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_NEAR: Final = 0.8  # difflib's ratio from which a key is taken for a slip
_STATUSES: Final = {"hidden": Status.DRAFT, "skip": Status.DRAFT, **{status.value: status for status in Status}}
# Where one of these is misspelt, an item could leave that should not have left.
_CAREFUL: Final = ("embargo", "status", "draft", "published", "publishdate", "date")
_SAME_CARE: Final = {"draft": ("status", "published"), "status": ("draft",), "published": ("status", "draft")}
_UNMISTAKABLE: Final = re.compile(r"(is_?)?drafts?|embargo\w*")


class Fields:
    """The front matter of one file. Faults are gathered, so that one run names them all."""

    def __init__(self, matter: Matter, *, file: str, zone: str, private: bool = False) -> None:
        """``private``: no value of this file may be told, for it may be a quote's words (Q5)."""
        self.nodes = matter.fields
        self._written = {name: node for name, node in matter.fields.items() if node.value is not None and node.value != ()}
        self.dialect = matter.dialect
        self.file = file
        self.zone = zone
        self.advice: list[Fault] = []
        self._faults: list[Fault] = []
        self._private = private

    def has(self, *names: str) -> bool:
        """Whether one of ``names`` is written and not empty."""
        return not self._written.keys().isdisjoint(names)

    def node(self, *names: str) -> Node | None:
        """The first of ``names`` that is written and not empty."""
        return next((self._written[name] for name in names if name in self._written), None)

    def fault(self, place: Node | None, what: str, right: str, *, rule: str = "front-matter") -> None:
        """Record a fault at ``place``; ``None`` where the mistake is that it is missing."""
        line = place.line if place else 1
        if place and isinstance(place.value, str) and is_curled(place.value[:1]):
            what, right = f"{what}: {CURLY[0]}", CURLY[1]
        self._faults.append(Fault(file=self.file, line=line, rule=rule, what=what, right=right))

    def advise(self, place: Node, what: str, right: str) -> None:
        """Record what is worth mending, although the item passes."""
        self.advice.append(Fault(file=self.file, line=place.line, rule="front-matter", what=what, right=right))

    def finish(self) -> None:
        """Stop here if anything was wrong.

        Raises
        ------
        SourceError
            With every fault, in the order of their lines.
        """
        if self._faults:
            raise SourceError(*sorted(self._faults))

    def as_text(self, node: Node | None, name: str, *, lines: bool = False) -> str:
        """A scalar as text; one line of it unless ``lines``."""
        if node is None or node.value is None:
            return ""
        if not isinstance(node.value, str):
            self.fault(node, f"{name} is a {_shape(node)}", f"write one text: {name}: …")
            return ""
        return node.value.strip() if lines else " ".join(node.value.split())

    def text(self, *names: str, lines: bool = False) -> str:
        """The text of the first of ``names`` that is written; ``""`` where none is."""
        for name in names:
            if self.has(name):
                return self.as_text(self.nodes[name], name, lines=lines)
        return ""

    def texts(self, node: Node | None, name: str, *, separator: str = "") -> list[str]:
        """A list of texts; a single text is split at ``separator``, ``" "`` meaning any white space."""
        if node is None or node.value is None:
            return []
        if isinstance(node.value, str):
            parts = [node.value] if not separator else node.value.split(None if separator == " " else separator)
            return [" ".join(part.split()) for part in parts if part.strip()]
        if isinstance(node.value, dict):
            self.fault(node, f"{name} is a mapping", f"write a list: {name}: [one, two]")
            return []
        return [text for text in (self.as_text(child, name) for child in node.value) if text]

    def flag(self, name: str) -> bool | None:
        """A yes or no; ``None`` where it is not written."""
        if not self.has(name):
            return None
        node = self.nodes[name]
        word = node.value.strip().lower() if isinstance(node.value, str) else ""
        if word not in _TRUE | _FALSE:
            self.fault(node, f"{name} is neither true nor false", f"write {name}: true or {name}: false")
        return word in _TRUE

    def instant(self, *names: str) -> tuple[datetime | None, str]:
        """The first of ``names`` that is written, as an instant and as text."""
        for name in names:
            if self.has(name):
                text = self.as_text(self.nodes[name], name)
                return self.as_instant(self.nodes[name], name, text), text
        return None, ""

    def as_instant(self, node: Node, name: str, text: str) -> datetime | None:
        """``text`` as an instant; civil time of the site's zone where it names no offset."""
        if not text:
            return None
        try:
            return parse_instant(text, self.zone)
        except ValueError as error:
            self.fault(node, f"{name}{self.cited(text)} {error}", RIGHT)
            return None

    def cited(self, text: str) -> str:
        """``text`` for a message, shortened; nothing where the file is private."""
        return "" if self._private else f" {text[:40]!r}"

    def status(self) -> Status:
        """The status by our key, Jekyll's ``published: false``, or ``draft: true``; a contradiction is a fault."""
        written = self.text("status").lower()
        if written and written not in _STATUSES:
            right = "write draft, embargoed, published or withdrawn"
            self.fault(self.nodes["status"], f"status{self.cited(written)} is unknown", right)
        status = _STATUSES.get(written, Status.PUBLISHED)
        held = "draft" if self.flag("draft") else ""
        if self._says_unpublished():
            held = "published"
        if self.says_when_published():
            self.instant("published")  # neither a yes, a no nor a date: it may have meant no
        if held and written and status is not Status.DRAFT:
            right = f"keep one of them: status: draft, or no {held}"
            self.fault(self.nodes[held], f"status says {status} and {held} says that it is a draft", right)
        if status is Status.EMBARGOED and not self.has("embargo"):
            right = "say until when: embargo: 2026-11-22 07:00"
            self.fault(self.nodes["status"], "status is embargoed, but there is no embargo", right)
        return Status.DRAFT if held else status

    def _says_unpublished(self) -> bool:
        node = self.node("published")
        return node is not None and isinstance(node.value, str) and node.value.strip().lower() in _FALSE

    def says_when_published(self) -> bool:
        """Whether ``published`` is a date rather than Jekyll's yes or no."""
        node = self.node("published")
        return node is not None and not (isinstance(node.value, str) and node.value.strip().lower() in _TRUE | _FALSE)

    def item_id(self) -> str:
        """The permanent id: a bare token, or the absolute URI that the item had elsewhere."""
        text = self.text("id")
        if not text or _TOKEN.fullmatch(text) or is_tag_uri(text) or _FORMER.fullmatch(text):
            return text
        right = "write a token like 2026-river-report, or a tag:, urn: or https: address"
        self.fault(self.nodes["id"], "id is not one that feeds accept", right)
        return ""

    def guid(self) -> str:
        """What named the item in a former RSS feed, where that is no URI and cannot be its id."""
        text = self.text("guid")
        if not text or _GUID.fullmatch(text):
            return text
        self.fault(self.nodes["guid"], "guid is not one that feeds accept", "copy the former feed's: one word in ASCII")
        return ""

    def lang(self, *names: str) -> str:
        """A language tag (BCP 47); ``en_US`` is read as ``en-US``."""
        text = self.text(*names).partition(".")[0].replace("_", "-")
        if text and not _LANG.fullmatch(text):
            self.fault(self.node(*names), f"{names[0]}{self.cited(text)} is no language tag", "write en, de or pt-BR")
        return text

    def address(self, node: Node | None, name: str, *, site_relative: bool = False, rule: str = "front-matter") -> str:
        """An http(s) address, or a path of our own site."""
        text = self.as_text(node, name)
        if not text or is_web_address(text):
            return text
        if site_relative and text.startswith("/") and not text.startswith("//"):
            return text
        right = "write https://…" + (", or a path that begins with /" if site_relative else "")
        self.fault(node, f"{name} is not a web address", right, rule=rule)
        return ""

    def watch_keys(self, canonical: Iterable[str], known: Collection[str]) -> None:
        """Refuse a slip of the pen in a key that keeps an item from leaving; mention any other one."""
        ours = tuple(canonical)
        for key, node in self.nodes.items():
            if key in known:
                continue
            meant = self._careful_near(key)
            if meant:
                self.fault(node, f"{key} is not a key that is read", f"did you mean {meant}?")
            elif (near := _nearest(key, ours)) and not self.has(near):
                self.advise(node, f"{key} is not a key that is read", f"did you mean {near}?")

    def _careful_near(self, key: str) -> str:
        squeezed = key.replace("_", "")
        if _UNMISTAKABLE.fullmatch(key):
            meant = "embargo" if key.startswith("embargo") else "draft"
        else:
            meant = _nearest(squeezed, _CAREFUL)
        if not meant or any(self.has(name) for name in (meant, *_SAME_CARE.get(meant, ()))):
            return ""
        return meant


def is_web_address(text: str) -> bool:
    """Whether ``text`` is an absolute http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _nearest(key: str, names: Iterable[str]) -> str:
    """The name that ``key`` is a slip of, swapped letters included; ``""`` where it is none."""
    candidates = tuple(names)
    swapped = next((name for name in candidates if sorted(name) == sorted(key)), "")
    return swapped or next(iter(difflib.get_close_matches(key, candidates, n=1, cutoff=_NEAR)), "")


def _shape(node: Node) -> str:
    return "mapping" if isinstance(node.value, dict) else "list"
