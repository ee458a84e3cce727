"""Front matter as a tree of texts with line numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import SourceError
from syndicate.sources.frontmatter import Matter, Node, parse


def plain(node: Node) -> Any:
    """A node without its lines."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def read(text: str) -> Matter:
    found = parse(text, file="x.md")
    assert found is not None
    return found


def values(text: str) -> dict[str, Any]:
    return {key: plain(node) for key, node in read(text).fields.items()}


def refused(text: str) -> tuple[int, str]:
    with pytest.raises(SourceError) as error:
        parse(text, file="x.md")
    (fault,) = error.value.faults
    assert fault.file == "x.md"
    assert fault.right
    return fault.line, fault.what


def test_yaml_scalars_stay_as_they_were_written() -> None:
    text = "---\nid: 0412\nlang: no\nversion: 1.10\ndate: 2026-11-22\ndraft: yes\nempty:\nnothing: ~\nsaid: 'null'\n---\nBody"
    assert values(text) == {
        "id": "0412",
        "lang": "no",
        "version": "1.10",
        "date": "2026-11-22",
        "draft": "yes",
        "empty": None,
        "nothing": None,
        "said": "null",
    }


def test_yaml_and_toml_say_the_same() -> None:
    yaml = "---\ntitle: A\ntags: [x, y]\nauthors:\n  - name: B\n    role: C\ndraft: true\n---\nBody"
    toml = '+++\ntitle = "A"\ntags = ["x", "y"]\ndraft = true\n[[authors]]\nname = "B"\nrole = "C"\n+++\nBody'
    assert values(yaml) == values(toml)
    assert read(yaml).body == read(toml).body == "Body"


def test_keys_are_read_in_any_case_and_with_hyphens() -> None:
    assert values("---\nTitle: A\nimage-alt: B\n---\n") == {"title": "A", "image_alt": "B"}


@pytest.mark.parametrize("ending", ["---", "---   ", "..."])
def test_yaml_ends_with_dashes_or_dots(ending: str) -> None:
    assert read(f"---\ntitle: A\n{ending}\nBody\n---\nmore").body == "Body\n---\nmore"


def test_empty_front_matter_is_front_matter() -> None:
    assert read("---\n---\nBody").body == "Body"
    assert read("---\n# only a comment\n---\n").fields == {}


def test_text_without_front_matter_has_none() -> None:
    assert parse("# A heading\n\nText", file="x.md") is None
    assert parse("Note: this is a sentence.\nAnd: another.\n\nText", file="x.md") is None


def test_pelicans_metadata_lines_are_front_matter() -> None:
    text = "Title: A title: with a colon\nDate: 2010-12-03 10:20\nTags: one,\n      two\n\nBody\n\nmore"
    found = read(text)
    assert found.dialect == "pelican"
    assert values(text) == {"title": "A title: with a colon", "date": "2010-12-03 10:20", "tags": "one, two"}
    assert found.body == "Body\n\nmore"
    assert found.fields["tags"].line == 3


def test_lines_are_those_of_the_keys_in_yaml() -> None:
    fields = read("---\n# comment\ntitle: >\n  folded\n  text\nauthors:\n  - name: A\n  - name: B\n---\n").fields
    assert fields["title"].line == 3
    assert fields["authors"].line == 6
    people = fields["authors"].value
    assert isinstance(people, tuple)
    assert [person.line for person in people] == [7, 8]


def test_lines_are_those_of_the_keys_in_toml() -> None:
    fields = read(
        '+++\n\ntitle = "A"\n[extra]\nlang = "de"\n[[corrections]]\ndate = 1\n[[corrections]]\ntext = "x"\n+++\n'
    ).fields
    assert fields["title"].line == 3
    extra, corrections = fields["extra"].value, fields["corrections"].value
    assert isinstance(extra, dict)
    assert extra["lang"].line == 5
    assert isinstance(corrections, tuple)
    second = corrections[1].value
    assert isinstance(second, dict)
    assert second["text"].line == 9


def test_toml_dates_become_text() -> None:
    assert values("+++\ndate = 2026-11-22\nat = 2026-11-22T07:00:00+02:00\nlocal = 2026-11-22T07:00:00\n+++\n") == {
        "date": "2026-11-22",
        "at": "2026-11-22T07:00:00+02:00",
        "local": "2026-11-22T07:00:00",
    }


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("---\ntitle: A\nno end", 1, "never closed"),
        ("\n\n---\ntitle: A", 3, "never closed"),
        ("+++\ntitle = 1", 1, "never closed"),
        ("---\ntitle: A\nother: b: c\n---\n", 3, "not YAML"),
        ("---\ntitle: A\n\tx: y\n---\n", 3, "not YAML"),
        ("---\na: b\ntitle: “A: b”\n---\n", 3, "the quotation marks are curly"),
        ("---\n“title”: A\n---\n", 2, "the quotation marks are curly"),
        ("+++\na = 1\ntitle = “A”\n+++\n", 3, "the quotation marks are curly"),
        ("---\nb: c\na: x: “d”\n---\n", 3, "the quotation marks are curly"),
        ("---\ntitle: 'A\n---\n", 2, "not YAML"),
        ("---\n- a\n- b\n---\n", 2, "not a list"),
        ("---\njust a text\n---\n", 2, "not a list"),
        ("---\ntitle: A\ndate: x\ntitle: B\n---\n", 4, "twice, first in line 2"),
        ("---\ntitle: A\nTitle: B\n---\n", 3, "twice"),
        ("---\na: {b: 1, b: 2}\n---\n", 2, "twice"),
        ("---\na: 1\nb: *nowhere\n---\n", 3, "alias"),
        ("---\na: !!python/object:os.system x\n---\n", 2, "tag"),
        ("---\na: &x {status: draft}\n<<: *x\n---\n", 3, "merge"),
        ("---\n? [a]\n: b\n---\n", 2, "key is a list"),
        ("---\na: \x07\n---\n", 2, "control character"),
        ("+++\ntitle = A\n+++\n", 2, "not TOML"),
        ('+++\na = 1\ntitle = "A"\ntitle = "B"\n+++\n', 4, "not TOML"),
        ('+++\na = 1\nA = "B"\n+++\n', 3, "twice"),
        ("+++\na = 1\nb = [\n+++\n", 3, "not TOML"),
        ("Title: A\nDate: 2020-01-01\ntitle: B\n\nx", 3, "twice"),
    ],
)
def test_a_mistake_names_its_line(text: str, line: int, what: str) -> None:
    found = refused(text)
    assert found[0] == line
    assert what in found[1]


@pytest.mark.parametrize(
    "inner",
    [
        "a: " + "[" * 100_000,
        "- " * 5_000 + "x",
        "a: " + "{a: " * 5_000,
        "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 300)),
    ],
)
def test_deep_nesting_is_a_fault_and_no_crash(inner: str) -> None:
    refused(f"---\n{inner}\n---\n")


def test_deep_toml_is_a_fault_and_no_crash() -> None:
    refused("+++\na = " + "[" * 5_000 + "]" * 5_000 + "\n+++\n")
    refused("+++\n" + ".".join("a" * 40) + " = 1\n+++\n")


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 9)]
    assert "repeats itself" in refused("---\n" + "\n".join(lines) + "\n---\n")[1]


def test_an_alias_may_be_used_plainly() -> None:
    assert values("---\na: &x [1]\nb: *x\n---\n") == {"a": ["1"], "b": ["1"]}


def test_front_matter_has_a_largest_size() -> None:
    assert "256 KB" in refused("---\ntitle: " + "x" * 300_000 + "\n---\n")[1]


def test_a_fault_never_cites_the_file() -> None:
    secret = "zyzzyva quokka"
    for text in (
        f"---\noriginal: he said: {secret}\n---\n",
        f"---\n{secret}: 1\n{secret}: 2\n---\n",
        f"+++\n{secret} = 1\n+++\n",
        f"+++\n['{secret}']\n['{secret}']\n+++\n",
    ):
        with pytest.raises(SourceError) as error:
            parse(text, file="x.md")
        assert "zyzzyva" not in str(error.value)


@given(st.text(max_size=200), st.sampled_from(["---\n{}\n---\n", "+++\n{}\n+++\n", "{}"]))
def test_any_text_is_front_matter_none_or_a_fault(text: str, frame: str) -> None:
    try:
        parse(frame.format(text), file="x.md")
    except SourceError as error:
        assert all(fault.line >= 1 for fault in error.faults)  # noqa: PT017 - either way is right


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[A-Za-z0-9 .]{1,30}", fullmatch=True)))
def test_what_is_quoted_comes_back(fields: dict[str, str]) -> None:
    assert values("---\n" + "".join(f"{key}: '{value}'\n" for key, value in fields.items()) + "---\n") == fields
