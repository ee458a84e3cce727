"""A real Chromium, driven over its debugging pipe: no driver, no open port, nothing to install beside it."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Chromium reads commands from its descriptor 3 and answers on 4, so ours are put there before it starts.
_ON_3_AND_4 = """import fcntl, os, sys
ours = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, place in zip(ours, (3, 4)):
    os.dup2(number, place)
os.execv(sys.argv[3], sys.argv[3:])"""


def executable() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of a headless browser."""

    def __init__(self, send: int, receive: int) -> None:
        self._send, self._receive = send, receive
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session = ""
        self.requests: list[str] = []  # every address that a page asked for
        self.complaints: list[str] = []  # what the console and the content security policy said
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime", "Network"):
            self._call(f"{domain}.enable")

    def look(self, width: int, *, dark: bool = False, printed: bool = False, height: int = 900) -> None:
        """Set the window and what the reader prefers."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", media="print" if printed else "screen", features=[scheme])

    def open(self, url: str) -> None:
        """Load a page wholly."""
        self._call("Page.navigate", url=url)
        self._until("Page.loadEventFired")

    def forbid_scripts(self) -> None:
        """No page runs a script from here on; the debugger still may."""
        self._call("Emulation.setScriptExecutionDisabled", value=True)

    def block(self, *patterns: str) -> None:
        """No page gets what these patterns name; none: everything may be fetched again."""
        self._call("Network.setBlockedURLs", urls=list(patterns))

    def picture(self, *, most: int = 16_000) -> bytes:
        """The whole page as PNG, at most so many pixels high."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        found = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(found["data"])

    def ask(self, script: str) -> Any:
        """The value of an expression; the page's own policy does not bind the debugger."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def follow(self, script: str) -> None:
        """Run what leads to another page, and wait until it stands."""
        self.ask(script)
        self._until("Page.loadEventFired")

    def press(self, key: str, *, loads: bool = False) -> None:
        """Press and let go of a key; ``loads``: wait for the page that it leads to."""
        facts = {
            "Tab": ("Tab", 9, ""),
            "Enter": ("Enter", 13, "\r"),
            "Space": (" ", 32, " "),
            "ArrowDown": ("ArrowDown", 40, ""),
        }
        name, code, text = facts[key]
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=name, code=key, windowsVirtualKeyCode=code, text=text)
        if loads:
            self._until("Page.loadEventFired")

    def type(self, text: str) -> None:
        """Write into whatever has the focus."""
        self._call("Input.insertText", text=text)

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def _until(self, event: str) -> None:
        while self._read().get("method") != event:
            pass

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._receive, 65_536)
            assert more, "the browser has gone"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"]["text"])
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium with a profile of its own; ``executable`` must have found one."""
    program = executable()
    assert program
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    flags = (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--remote-debugging-pipe",
    )
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_3_AND_4, str(down_read), str(up_write), program, *flags, f"--user-data-dir={profile}"],
        pass_fds=(down_read, up_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(down_read)
    os.close(up_write)
    try:
        yield Browser(down_write, up_read)
    finally:
        os.close(down_write)
        process.terminate()
        process.wait(20)
        os.close(up_read)
