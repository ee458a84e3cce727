"""Briefs from a folder of Markdown files: our front matter, and what Jekyll, Hugo, Zola and Pelican write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final

from syndicate.errors import Fault, SourceError
from syndicate.links import slugify
from syndicate.model import Severity, Status
from syndicate.sources import Draft, Found
from syndicate.sources.dates import parse_day, parse_instant
from syndicate.sources.fields import Fields, is_web_address
from syndicate.sources.folder import FolderSource
from syndicate.sources.frontmatter import Node, parse

CANONICAL: Final = (
    "id", "title", "date", "updated", "authors", "summary", "topics", "series", "status", "embargo", "image", "image_alt",
    "image_width", "image_height", "lang", "link", "corrections", "social", "guid",
)  # fmt: skip
# What other publishers' folders hold: read here, or known to be theirs although it looks like a slip of one of ours.
_FOREIGN: Final = frozenset({
    "author", "published", "publishdate", "publish_date", "pubdate", "lastmod", "modified", "last_modified_at",
    "tag", "tags", "category", "categories", "keywords", "taxonomies", "description", "excerpt", "draft", "slug",
    "permalink", "path", "url", "language", "locale", "topic", "extra", "params", "images", "links", "expirydate",
    "layout", "type", "weight", "version", "aliases", "redirect_from", "template", "series_order",
})  # fmt: skip
_FILE_DATE: Final = re.compile(r"(?P<date>\d{4}-\d\d-\d\d)(?:T[\d:-]+Z?)?[-_]?(?P<rest>.*)")
_ROLES: Final = ("role", "title", "job_title", "position")
_ADDRESSES: Final = ("url", "link", "uri", "website", "homepage")
_NO_ITEMS: Final = re.compile(
    r"(readme|licen[cs]e|notice|copying|changelog|contributing|authors|code_of_conduct|security)\b.*", re.IGNORECASE
)
_MOST_BRACKETS: Final = 10_000  # that open in one text: at each of them a reader of Markdown looks ahead for a link
_RIGHT_CORRECTION: Final = "write corrections: [{date: 2026-11-22, text: what was wrong and what is right}]"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Named:
    """What a file's place says."""

    slug: str
    date: str  # "2026-11-22", or "" where the name holds no day
    draft: bool  # it stands in Jekyll's folder of drafts


class MarkdownFolder(FolderSource):
    """[sources.NAME] of kind "markdown"."""

    def read(self, found: Found) -> Draft | None:
        """Parse one brief; ``None`` for a README or the like without front matter.

        Raises
        ------
        SourceError
            With every fault of the file.
        """
        file = self._folder.read(found)
        matter = parse(file.text, file=found.path)
        if matter is None:
            if _NO_ITEMS.fullmatch(PurePosixPath(found.path).stem):
                return None
            right = "begin it with ---, title: …, date: …, ---"
            raise SourceError(Fault(file=found.path, line=1, rule="front-matter", what="there is no front matter", right=right))
        fields = Fields(matter, file=found.path, zone=self._zone)
        fields.watch_keys(CANONICAL, {*CANONICAL, *_FOREIGN})
        if fields.has("expirydate"):
            fields.advise(
                fields.nodes["expirydate"], "an expiry date is not read", "write status: withdrawn when the day has come"
            )
        _watch_brackets(fields, file.text, matter.body)
        named = _named(found.path, self._folder.path)
        status = Status.DRAFT if named.draft else fields.status()
        date, date_text = _date(fields, named, status)
        slug = _slug(fields)
        draft = Draft(
            kind="brief",
            path=found.path,
            stamp=file.stamp,
            content_sha=file.sha,
            body=matter.body.strip("\n"),
            id=fields.item_id(),
            slug=slug or named.slug,
            slug_given=bool(slug),
            status=status,
            date=date,
            date_text=date_text,
            embargo=_embargo(fields),
            updated=fields.instant("updated", "lastmod", "modified", "last_modified_at")[0],
            front=_front(fields),
            advice=tuple(fields.advice),
        )
        fields.finish()
        return draft


def _watch_brackets(fields: Fields, text: str, body: str) -> None:
    """Refuse a text that nobody wrote by hand, and that would take far longer to render than to read."""
    if body.count("[") <= _MOST_BRACKETS:
        return
    places = (at for at, character in enumerate(body) if character == "[")
    over = len(text) - len(body) + next(islice(places, _MOST_BRACKETS, None))
    what = f"more than {_MOST_BRACKETS:,} square brackets open in this text"
    fields.fault(Node(None, text.count("\n", 0, over) + 1), what, "leave data out of it, and link to it", rule="markup")


def _named(path: str, folder: str) -> _Named:
    *above, name = path.removeprefix(f"{folder}/").split("/")
    stem = name.rpartition(".")[0]
    if stem == "index" and above:
        stem = above[-1]
    dated = _FILE_DATE.fullmatch(stem)
    if dated is not None:
        try:
            parse_day(dated["date"])
        except ValueError:
            dated = None
    slug = slugify(dated["rest"] or stem) if dated else slugify(stem)
    return _Named(slug=slug, date=dated["date"] if dated else "", draft="_drafts" in above)


def _date(fields: Fields, named: _Named, status: Status) -> tuple[datetime | None, str]:
    names = ["date", *(["published"] if fields.says_when_published() else []), "publishdate", "publish_date", "pubdate"]
    if fields.has(*names):
        return fields.instant(*names)
    if named.date:
        return parse_instant(named.date, fields.zone), named.date
    if status is not Status.DRAFT:
        fields.fault(None, "there is no date", "write date: 2026-11-22, or begin the file's name with it")
    return None, ""


def _embargo(fields: Fields) -> datetime | None:
    """Ours, or Hugo's publish date, before which Hugo shows nothing either."""
    return fields.instant("embargo", "publishdate", "publish_date", "pubdate")[0]


def _slug(fields: Fields) -> str:
    """A slug that the author wrote, or the last part of the address that the item had elsewhere."""
    if written := fields.text("slug"):
        return slugify(written)
    for name in ("permalink", "path", "url"):
        address = fields.text(name)
        last = address.split("?")[0].rstrip("/").rpartition("/")[2]
        if last and not re.search(r"[:{}]", last):
            return slugify(re.sub(r"\.html?$", "", last))
    return ""


def _front(fields: Fields) -> dict[str, Any]:
    title = fields.text("title")
    if not title:
        fields.fault(fields.nodes.get("title"), "there is no title", "write title: …")
    lookup = _Beside(fields)
    return {
        "title": title,
        "authors": _authors(fields, lookup.node("authors", "author")),
        "summary": lookup.text("summary", "description", "excerpt"),
        "topics": _topics(fields, lookup),
        "series": next(iter(fields.texts(lookup.node("series"), "series")), ""),
        "image": _image(fields, lookup),
        "lang": fields.lang("lang", "language", "locale"),
        "link": fields.address(fields.node("link"), "link", site_relative=True),
        "corrections": _corrections(fields),
        "social": _social(fields),
        "guid": fields.guid(),
    }


class _Beside:
    """Looks a key up in the front matter, then in Zola's ``extra`` and ``taxonomies`` and Hugo's ``params``."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        tables = (fields.nodes[name].value for name in ("taxonomies", "extra", "params") if name in fields.nodes)
        self._tables: list[dict[str, Node]] = [table for table in tables if isinstance(table, dict)]

    def node(self, *names: str) -> Node | None:
        if (found := self._fields.node(*names)) is not None:
            return found
        for table in self._tables:
            for name in names:
                if name in table and table[name].value is not None:
                    return table[name]
        return None

    def text(self, *names: str) -> str:
        return self._fields.as_text(self.node(*names), names[0])


def _authors(fields: Fields, node: Node | None) -> list[dict[str, str]]:
    if node is None or node.value is None:
        return []
    if isinstance(node.value, dict):
        return [_author(fields, node)]
    if isinstance(node.value, str):
        if fields.dialect != "pelican":
            return [_author(fields, node)]
        separator = ";" if ";" in node.value else ","
        return [{"name": name, "role": "", "url": ""} for name in fields.texts(node, "authors", separator=separator)]
    return [_author(fields, child) for child in node.value if child.value is not None]


def _author(fields: Fields, node: Node) -> dict[str, str]:
    right = "write authors: [{name: …, role: …, url: https://…}]"
    if isinstance(node.value, str):
        name = fields.as_text(node, "authors")
        if not name:
            fields.fault(node, "an author has no name", right)
        return {"name": name, "role": "", "url": ""}
    if not isinstance(node.value, dict):
        fields.fault(node, "an author is a list", right)
        return {"name": "", "role": "", "url": ""}
    person = node.value
    name = fields.as_text(person.get("name"), "name")
    if not name:
        fields.fault(node, "an author has no name", right)
    url = next((person[key] for key in _ADDRESSES if key in person and person[key].value is not None), None)
    role = next((person[key] for key in _ROLES if key in person and person[key].value is not None), None)
    return {"name": name, "role": fields.as_text(role, "role"), "url": fields.address(url, "url")}


def _topics(fields: Fields, lookup: _Beside) -> list[str]:
    """Ours alone where they are written; else categories and tags together, each once."""
    if fields.has("topics", "topic"):
        return _once(fields.texts(fields.node("topics", "topic"), "topics", separator=","))
    found: list[str] = []
    for name in ("categories", "category", "tags", "tag"):
        node = lookup.node(name)
        if node is None:
            continue
        plural = name in {"categories", "tags"}
        commas = fields.dialect == "pelican" or (isinstance(node.value, str) and "," in node.value)
        # Jekyll reads a text of several words as several tags, but `category: …` as one.
        found += fields.texts(node, name, separator="," if commas else " " if plural else "")
    return _once(found)


def _once(names: list[str]) -> list[str]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.casefold(), name)
    return list(first.values())


def _image(fields: Fields, lookup: _Beside) -> dict[str, Any] | None:
    node = lookup.node("image")
    if node is None:
        return None
    parts = node.value if isinstance(node.value, dict) else {"src": node}
    source = next((parts[key] for key in ("src", "path", "url", "feature") if key in parts), node)
    src = fields.as_text(source, "image") if not isinstance(source.value, dict) else ""
    alt = fields.as_text(parts.get("alt") or lookup.node("image_alt"), "image_alt")
    if not src:
        fields.fault(node, "image names no picture", "write image: https://… or a path below the site")
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", src) and not is_web_address(src):
        fields.fault(node, "image is not a web address", "write https://… or a path below the site")
    if not alt:
        fields.fault(node, "image has no image_alt", "say in words what the picture shows: image_alt: …")
    sizes = {key: _size(fields, parts.get(key) or fields.node(f"image_{key}"), key) for key in ("width", "height")}
    return {"src": src, "alt": alt, **sizes}


def _size(fields: Fields, node: Node | None, name: str) -> int:
    text = fields.as_text(node, name).removesuffix("px")
    if not text:
        return 0
    if not re.fullmatch(r"[0-9]{1,5}", text):
        fields.fault(node, f"the image's {name} is not a number", f"write it in pixels: {name}: 1200")
        return 0
    return int(text)


def _corrections(fields: Fields) -> list[dict[str, str]]:
    node = fields.node("corrections")
    if node is None:
        return []
    many = node.value if isinstance(node.value, tuple) else (node,)
    return [found for child in many if (found := _correction(fields, child))]


def _correction(fields: Fields, node: Node) -> dict[str, str] | None:
    """``at`` is the instant: of its time where one is written, else of its midnight."""
    if not isinstance(node.value, dict):
        fields.fault(node, "a correction is not a mapping", _RIGHT_CORRECTION)
        return None
    parts = node.value
    text = fields.as_text(parts.get("text"), "text")
    if not text:
        fields.fault(parts.get("text") or node, "a correction has no text", _RIGHT_CORRECTION)
    severity = fields.as_text(parts.get("severity"), "severity").lower() or Severity.SIGNIFICANT.value
    if severity not in set(Severity):
        fields.fault(parts["severity"], "a correction's severity is unknown", "write minor or significant")
    written = fields.as_text(parts.get("date"), "date")
    if not written:
        fields.fault(parts.get("date") or node, "a correction has no date", _RIGHT_CORRECTION)
        return None
    at = fields.as_instant(parts["date"], "a correction's date", written)
    if at is None:
        return None
    # The day as written: in another zone the instant may fall on its neighbour.
    year, month, day = re.findall(r"\d+", written)[:3]
    return {"date": f"{year}-{month:0>2}-{day:0>2}", "at": at.isoformat(), "text": text, "severity": severity}


def _social(fields: Fields) -> dict[str, str]:
    node = fields.node("social")
    if node is None:
        return {}
    if not isinstance(node.value, dict):
        fields.fault(node, "social is not a mapping", 'write social: {mastodon: "…", x: "…"}')
        return {}
    texts = {name: child for name, child in node.value.items() if child.value is not None}
    thread = texts.pop("thread", None)
    told = {name: fields.as_text(child, name, lines=True) for name, child in texts.items()}
    return told | (_thread(fields, thread) if thread else {})


_LONGEST_THREAD: Final = 25  # posts, the brief's own one among them


def _thread(fields: Fields, node: Node) -> dict[str, str]:
    """The posts that follow the brief's own: ``thread/2`` for every network, ``thread/x/2`` for one."""
    lists = (
        {f"thread/{name}": child for name, child in node.value.items()} if isinstance(node.value, dict) else {"thread": node}
    )
    told: dict[str, str] = {}
    for name, child in lists.items():
        if not isinstance(child.value, tuple) or len(child.value) >= _LONGEST_THREAD:
            fields.fault(child, "a thread is no list of posts, or too long a one", 'write thread: ["…", "…"], 24 posts at most')
            continue
        texts = (fields.as_text(part, "thread", lines=True) for part in child.value)
        told |= {f"{name}/{number}": text for number, text in enumerate(filter(None, texts), 2)}
    return told
