"""The reference is whole and true: every command, setting and channel stands in it, and nothing that does not exist."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from syndicate import cli
from syndicate.channels import kinds
from syndicate.channels.posting import PostingSettings
from syndicate.config.tables import is_named, keys
from syndicate.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference.md"
NEVER_WRITTEN = {"-h", "--help"}  # every command has it


@pytest.fixture(scope="module")
def reference() -> str:
    return REFERENCE.read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text below the heading that names ``heading`` in backticks, up to the next heading of its level or above."""
    found = re.search(rf"^(#+)[^\n]*`{re.escape(heading)}(?: [^`\n]*)?`[^\n]*$", text, re.MULTILINE)
    assert found, f"{REFERENCE.name} has no heading with `{heading}`"
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def words_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every option, sub-command and positional argument that a parser knows."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield name
                yield from words_of(below)
        elif action.option_strings:
            yield from (
                option for option in action.option_strings if option.startswith("--") or len(action.option_strings) == 1
            )
        elif isinstance(action.metavar, str):
            yield action.metavar


def tables(model: type[BaseModel], heading: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table of the settings file, as its heading is written: ``newsletters.NAME``."""
    for key, field in keys(model).items():
        found = next(
            (part for part in _inside(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)), None
        )
        if found is None or found.__name__ == "ScheduleSettings":
            continue
        name = f"{heading}.{key}".lstrip(".") + (".NAME" if is_named(field) else "")
        yield name, found
        yield from tables(found, name)


def _inside(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _inside(part)


def documented_keys(text: str) -> set[str]:
    """The keys that a table of the reference lists: the first cell of each row, in backticks."""
    rows = re.findall(r"^\|\s*((?:`[^`]+`(?:,\s*)?)+)\s*\|", text, re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`([^`]+)`", row)}


TABLES = dict(tables(Settings))
CHANNELS = {kind: factory.Settings for kind, factory in kinds().items()}


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_and_option_is_in_the_reference(reference: str, name: str) -> None:
    text = section(reference, f"syndicate {name}")
    missing = {
        word
        for word in words_of(cli.parser(name))
        if word not in NEVER_WRITTEN and not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)
    }
    assert not missing, f"`syndicate {name}` lacks {sorted(missing)}"


def test_the_reference_tells_of_no_command_that_is_not_there(reference: str) -> None:
    told = set(re.findall(r"^#+[^\n]*`syndicate ([a-z]+)", reference, re.MULTILINE))
    assert told == set(cli.COMMANDS)


@pytest.mark.parametrize("name", TABLES)
def test_every_setting_is_in_the_reference_and_no_other(reference: str, name: str) -> None:
    nested = {key for key in keys(TABLES[name]) if f"{name}.{key}" in TABLES}
    text = section(reference, f"[{name}]")
    for key in nested:  # a table of its own inside this one
        text = text.replace(section(reference, f"[{name}.{key}]"), "")
    assert documented_keys(text) - nested == set(keys(TABLES[name])) - nested


@pytest.mark.parametrize("kind", CHANNELS)
def test_every_channel_and_its_settings_are_in_the_reference(reference: str, kind: str) -> None:
    shared = set(keys(PostingSettings)) if issubclass(CHANNELS[kind], PostingSettings) else set()
    assert documented_keys(section(reference, f'kind = "{kind}"')) == set(keys(CHANNELS[kind])) - shared


def test_the_keys_of_every_social_channel_are_in_the_reference(reference: str) -> None:
    assert documented_keys(section(reference, "[channels.NAME]")) == set(keys(PostingSettings))


@pytest.mark.parametrize("page", ["quickstart", "how-to", "reference", "decisions", "glossary"])
def test_every_page_of_the_docs_is_there(page: str) -> None:
    assert len((ROOT / f"docs/{page}.md").read_text(encoding="utf-8")) > 500


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]), ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            file, _, place = target.partition("#")
            there = path.parent / file if file else path
            assert there.exists(), f"{path.name}: {target}"
            assert not place or place in places(there), f"{path.name}: {target}"


def places(page: Path) -> set[str]:
    """What a link can name in a page: its headings, as they are written in an address."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_starter_settings_show_every_table() -> None:
    shown = (ROOT / "config/syndicate.toml").read_text(encoding="utf-8")
    for name in TABLES:
        heading = re.escape(name).replace("NAME", "[a-z0-9_]+")
        assert re.search(rf"^\[{heading}\]", shown, re.MULTILINE), name
