"""What mail clients can show, by the data of caniemail.com: an inlined mail in, the features that a required client lacks out.

The data and the list of deliberate exceptions come as text: this file reads no disk.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import tinycss2
import tinycss2.ast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lxml.html import HtmlElement

# Whose readers must see every edition as it is meant; elsewhere it must only be readable.
REQUIRED: Final = re.compile(r"(gmail|apple-mail|yahoo)/.*|outlook/(windows|outlook-com|ios)")
_SELECTORS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "adjacent-sibling": re.compile(r"\+"),
        "attribute": re.compile(r"\["),
        "chaining": re.compile(r"\.[\w-]+\.[\w-]"),
        "child": re.compile(r">"),
        "class": re.compile(r"\.[\w-]"),
        "descendant": re.compile(r"[\w\])]\s+[\w.\[#*:]"),
        "general-sibling": re.compile(r"~(?!=)"),
        "grouping": re.compile(r","),
        "id": re.compile(r"#[\w-]"),
        "type": re.compile(r"(?:^|[\s,>+~])[a-zA-Z]"),
        "universal": re.compile(r"\*(?!=)"),
    }
)
_PSEUDO: Final = re.compile(r"::?[a-z-]+")
_MEDIA_FEATURE: Final = re.compile(r"\(\s*(?:min-|max-)?(?:-webkit-)?(?:min-|max-)?([a-z-]+)")
_UNIT: Final = re.compile(r"(?<![\w#.-])-?(?:\d+\.?\d*|\.\d+)([a-z]+|%)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """One thing that a mail uses."""

    kind: str  # "prop", "tag" …: the data's own words
    name: str  # "border-radius"
    where: str  # "inline", "block" or "markup"
    told: str  # as it stands in the mail: "border-radius:2px"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacking:
    """A feature that some required client does not have."""

    feature: str  # "css-border-radius"
    title: str  # "border-radius"
    told: str
    clients: tuple[str, ...]  # "outlook/windows"


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """The data, ready to be asked."""

    by_name: Mapping[tuple[str, str], tuple[str, ...]]  # (kind, name) -> features
    by_part: Mapping[str, tuple[re.Pattern[str], ...]]  # feature -> patterns to look for in a value
    titles: Mapping[str, str]
    without: Mapping[str, tuple[str, ...]]  # feature -> required clients that lack it
    allowed: Mapping[str, frozenset[str]]  # feature -> where it may stand all the same


@lru_cache(maxsize=4)
def support(data: str, enhancements: str) -> Support:
    """Read caniemail's data (JSON) and the list of exceptions (TOML: ``where`` and ``reason`` for each feature)."""
    found = json.loads(data)
    required = [(place, client) for place, client in enumerate(found["clients"]) if REQUIRED.fullmatch(client)]
    by_name: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    by_part: dict[str, tuple[re.Pattern[str], ...]] = {}
    without: dict[str, tuple[str, ...]] = {}
    for name, feature in found["features"].items():
        without[name] = tuple(client for place, client in required if feature["s"][place] == "n")
        for kind, wanted in (feature.get("m") or {}).items():
            if kind in {"value", "img"}:
                by_part[name] = tuple(_part(kind, text) for text in ([wanted] if isinstance(wanted, str) else wanted))
            elif kind != "type":
                for one in [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []:
                    by_name[kind, one if "type" not in feature["m"] else f"{one}[{feature['m']['type']}]"].append(name)
    rows = tomllib.loads(enhancements)
    return Support(
        by_name={pair: tuple(names) for pair, names in by_name.items()},
        by_part=by_part,
        titles={name: feature["title"] for name, feature in found["features"].items()},
        without=without,
        allowed={name: frozenset(row["where"]) for name, row in rows.items()},
    )


def _part(kind: str, text: str) -> re.Pattern[str]:
    """A piece of a value; ``max(`` is not the end of ``minmax(``."""
    if kind == "img":
        return re.compile(re.escape(text) + (r"(?:$|[?#])" if text.startswith(".") else ""), re.IGNORECASE)
    return re.compile(rf"(?<![\w-]){re.escape(text)}", re.IGNORECASE)


def lacking(document: HtmlElement, known: Support) -> list[Lacking]:
    """Every feature that the mail uses, that a required client has not, and that is no deliberate exception."""
    found: dict[str, Lacking] = {}
    for use in dict.fromkeys(used(document)):
        for feature in _features(use, known):
            if known.without.get(feature) and use.where not in known.allowed.get(feature, frozenset()):
                found.setdefault(
                    feature,
                    Lacking(feature=feature, title=known.titles[feature], told=use.told, clients=known.without[feature]),
                )
    return list(found.values())


def _features(use: Used, known: Support) -> Iterator[str]:
    yield from known.by_name.get((use.kind, use.name), ())
    if use.kind in {"value", "img"}:
        yield from (
            feature for feature, parts in known.by_part.items() if any(part.search(use.name) for part in parts)
            and feature.startswith("image-") == (use.kind == "img")
        )  # fmt: skip


def used(document: HtmlElement) -> Iterator[Used]:
    """Everything that the data knows about: elements, attributes, declarations, selectors and at-rules."""
    elements = [element for element in document.iter() if isinstance(element.tag, str)]  # comments are Word's
    for element in elements:
        if element.tag == "style":
            yield from _block(element.text or "")
        yield from _markup(element)
    for style in dict.fromkeys(element.get("style", "") for element in elements):  # the same ones again and again
        yield from _inline(style)


def _markup(element: HtmlElement) -> Iterator[Used]:
    tag = str(element.tag)
    facts = [("tag", tag), *(("attr", str(name)) for name in element.attrib)]
    if tag == "input":
        facts.append(("tag", f"input[{element.get('type', 'text')}]"))
    if tag == "meta":
        facts.append(("meta", element.get("name", "")))
    if tag == "img":
        facts.append(("img", element.get("src", "")))
    href = element.get("href", "")
    if href.startswith(("#", "mailto:")):
        facts.append(("href", "#" if href.startswith("#") else "mailto:"))
    for kind, name in facts:
        yield Used(kind=kind, name=name, where="markup", told=f"<{tag}>" if kind == "tag" else f"<{tag} {name}>")


@lru_cache(maxsize=1024)  # one template makes the same ones in every edition
def _inline(style: str) -> tuple[Used, ...]:
    return tuple(_declarations(tinycss2.parse_blocks_contents(style, True, True), "inline"))


@lru_cache(maxsize=16)
def _block(css: str) -> tuple[Used, ...]:
    return tuple(_rules(tinycss2.parse_stylesheet(css, True, True)))


def _rules(rules: Iterable[Any]) -> Iterator[Used]:
    for rule in rules:
        if isinstance(rule, tinycss2.ast.QualifiedRule):
            prelude = tinycss2.serialize(rule.prelude).strip()
            names = [kind for kind, pattern in _SELECTORS.items() if pattern.search(prelude)]
            yield from (Used(kind="selector", name=name, where="block", told=prelude[:60]) for name in names)
            yield from (Used(kind="pseudo", name=name, where="block", told=prelude[:60]) for name in _PSEUDO.findall(prelude))
            yield from _declarations(tinycss2.parse_blocks_contents(rule.content, True, True), "block")
        elif isinstance(rule, tinycss2.ast.AtRule):
            prelude = tinycss2.serialize(rule.prelude).strip()
            told = f"@{rule.lower_at_keyword} {prelude}".strip()
            yield Used(kind="atrule", name=rule.lower_at_keyword, where="block", told=told)
            for name in _MEDIA_FEATURE.findall(prelude):
                yield Used(kind="atmedia", name=name, where="block", told=told)
            yield from _rules(tinycss2.parse_rule_list(rule.content, True, True) if rule.content else ())


def _declarations(parsed: Iterable[Any], where: str) -> Iterator[Used]:
    for one in parsed:
        if not isinstance(one, tinycss2.ast.Declaration):
            continue
        value = tinycss2.serialize(one.value).strip().lower()
        told = f"{one.lower_name}:{value}"[:60]
        yield Used(kind="prop", name=one.lower_name, where=where, told=told)
        yield Used(kind="decl", name=f"{one.lower_name}:{value}", where=where, told=told)
        yield Used(kind="keyword", name=value, where=where, told=told)
        yield Used(kind="value", name=f"{value} !important" if one.important else value, where=where, told=told)
        yield from (Used(kind="unit", name=unit.lower(), where=where, told=told) for unit in set(_UNIT.findall(value)))
