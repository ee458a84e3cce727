"""Each rule of the quote gate names the tests that hold it, and they exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/quote-gate.md").read_text(encoding="utf-8")
RULES = [f"Q{number}" for number in range(1, 24)]


def rows() -> dict[str, list[tuple[str, str]]]:
    """Rule -> (file, test) by the page's table of tests."""
    table = PAGE.partition("## The tests")[2]
    found = re.findall(r"^\| (Q\d+) \| (.+) \|$", table, re.MULTILINE)
    return {rule: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", cells) for rule, cells in found}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_a_test_that_exists(rule: str) -> None:
    named = rows().get(rule, [])
    assert named, f"{rule} names no test"
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body), f"{file}::{name}"


def test_the_page_tells_where_each_rule_is_enforced() -> None:
    assert re.findall(r"^\| (Q\d+) \|", PAGE.partition("## The tests")[0], re.MULTILINE) == RULES
