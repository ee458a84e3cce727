"""axe-core on a page that stands in the browser."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}


def violations(page: Page, *, but: tuple[str, ...] = ()) -> list[str]:
    """One line for each rule broken by the page that is open: its id, what it says and where; ``but`` names rules left out."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE_SCRIPT)
    # What is in order, ten times as much, stays in the browser.
    found = page.evaluate("options => axe.run(document, options).then(answer => answer.violations)", OPTIONS)
    return [": ".join((one["id"], one["help"], *map(_place, one["nodes"]))) for one in found if one["id"] not in but]


def _place(node: dict[str, Any]) -> str:
    return f"{' '.join(map(str, node['target']))} {node['failureSummary']}"
