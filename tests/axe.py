"""axe-core on a page that stands in the browser. Its script comes from a wheel; the browser is our own."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, files

import pytest

from chromium import Browser

WHEEL = "axe-playwright-python"  # carries axe.min.js; nothing else of it is used
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def script() -> str:
    """The source of axe-core; the test is skipped where it is not installed."""
    try:
        found = next(file for file in files(WHEEL) or () if file.name == "axe.min.js")
    except (PackageNotFoundError, StopIteration):
        pytest.skip(f"axe-core is not installed: pip install --no-deps {WHEEL}")
    return found.read_text(encoding="utf-8")


def violations(browser: Browser, *, but: tuple[str, ...] = ()) -> list[str]:
    """One line for each rule broken by the page that is open: its id, what it says and where; ``but`` names rules left out."""
    if not browser.ask("typeof axe === 'object'"):
        browser.ask(script() + ";0")
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = browser.ask(
        f"axe.run(document, {json.dumps(options)}).then(found => found.violations.map(broken => "
        "[broken.id, broken.help, ...broken.nodes.map(node => node.target.join(' ') + ' ' + (node.any[0] || {message: ''}).message)]))"
    )
    return [": ".join(map(str, facts)) for facts in found if facts[0] not in but]
