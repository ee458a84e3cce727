"""A real Chromium, driven by Playwright: the system's own browser, never one that a package brings."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 30_000  # ms until a page that does not show what it should has failed; a busy machine is no fault


def executable() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser; the tests that want one are skipped, with the reason, where none starts.

    Each file of tests has its own: until Playwright stops, asyncio takes its loop for running, and no other loop could run.
    """
    program = executable()
    if program is None:
        pytest.skip("no Chromium here: nothing is looked at in a browser")
    playwright = _driver()
    try:
        # A sandbox cannot be made by root, whom containers often are.
        chromium = playwright.chromium.launch(executable_path=program, chromium_sandbox=os.geteuid() != 0)
    except Error as error:
        playwright.stop()
        pytest.skip(f"{program} does not start: {_first_line(error)}")
    expect.set_options(timeout=PATIENCE)
    yield chromium
    chromium.close()
    playwright.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of somebody who was never here: no cookie, no cache, nothing kept."""
    with browser.new_page() as fresh:
        yield fresh


def _driver() -> Playwright:
    try:
        return sync_playwright().start()
    except Exception as error:  # noqa: BLE001 - a driver that ends at once is told by a bare one
        why = _first_line(error)
    gc.collect()  # what is left of it is thrown away here, not in the midst of another test
    pytest.skip(f"Playwright's driver does not start: {why}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def look(page: Page, width: int, *, dark: bool = False, printed: bool = False) -> None:
    """Set the window and what the reader prefers."""
    if page.viewport_size != (size := {"width": width, "height": 900}):
        page.set_viewport_size(size)
    page.emulate_media(media="print" if printed else "screen", color_scheme="dark" if dark else "light")


class Heard:
    """What a page says and asks for, from now on."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []  # every address
        self.complaints: list[str] = []  # the console, the content security policy, and what a script did not catch
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
