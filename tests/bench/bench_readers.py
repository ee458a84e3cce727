"""What a reader's page costs, beside a bare Starlette page, taking turns in one process; and 10,000 openings by scanners.

The processor's time of each answer is measured. Every page answers in 20 ms at the median, or the run fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import redirect_stderr
from datetime import timedelta
from io import StringIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from served import NOW, copy_starter, opened, subscribe
from syndicate import links
from syndicate.publish import signup
from syndicate.store.wishes import Wishes
from syndicate.web import reader

ROUNDS = 40
SCANS = 10_000
MOST_MILLISECONDS = 20.0
BARE = "a bare Starlette page"


async def ask(web: Any, method: str, path: str, body: bytes = b"") -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "client": ("192.0.2.7", 1), "server": ("127.0.0.1", 80),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")],
    }  # fmt: skip
    await web(scope, receive, send)
    return status


async def measured(pages: dict[str, tuple[Any, str]]) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in pages}
    for web, path in pages.values():
        await ask(web, "GET", path)
    for _ in range(ROUNDS):
        for name, (web, path) in pages.items():
            began = process_time()
            assert await ask(web, "GET", path) == 200
            spent[name].append((process_time() - began) * 1000)
    return spent


async def scanned(web: Any, paths: list[str], rows: Callable[[], object]) -> bool:
    before = rows()
    for number in range(SCANS // len(paths)):
        for path in paths:
            assert await ask(web, "HEAD" if number % 2 else "GET", path, b"List-Unsubscribe=One-Click") == 200
    return rows() == before


def test_every_page_answers_in_twenty_milliseconds_and_scanners_change_nothing() -> None:
    with TemporaryDirectory() as folder, redirect_stderr(StringIO()), opened(copy_starter(Path(folder))) as app:
        token = subscribe(app)
        wish = signup.Wish(address="new@example.org", newsletter="digest", wishes=Wishes(), wording="x", form="/subscribe")
        signup.ask(app, wish, "here", NOW)
        known = links.verify(token, app.token_keys)
        assert known
        fresh = links.FreshToken(token=known, until=NOW + timedelta(hours=5))
        with app.store.read() as connection:
            new = connection.exec_driver_sql("SELECT key FROM subscriber WHERE address LIKE 'new%'").scalar_one()
        asked = links.sign(links.ReaderToken(subscriber=new, newsletter=known.newsletter), app.token_keys, "confirm")
        paths = {
            "subscribe": "/subscribe",
            "confirm": f"/c/{asked}",
            "preferences": f"/p/{token}",
            "unsubscribe": f"/u/{token}",
            "export": f"/export/{links.sign_fresh(fresh, app.token_keys, 'export')}",
            "erase": f"/erase/{links.sign_fresh(fresh, app.token_keys, 'erase')}",
        }

        def hello(request: object) -> HTMLResponse:
            return HTMLResponse("<!DOCTYPE html><title>Hello</title><p>Hello.")

        web, bare = reader.create(app), Starlette(routes=[Route("/", hello)])
        spent = asyncio.run(measured({BARE: (bare, "/"), **{name: (web, path) for name, path in paths.items()}}))

        def rows() -> object:
            with app.store.read() as connection:
                return [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in ("subscription", "sending")]

        unharmed = asyncio.run(scanned(web, list(paths.values()), rows))
    base = median(spent[BARE])
    for name, times in spent.items():
        print(
            f"{name:<24} {median(times):7.2f} ms at the median, {max(times):7.2f} at most, {median(times) / base:6.1f} times bare"
        )
    print(f"{SCANS:,} GETs and HEADs by scanners: {'nothing has changed' if unharmed else 'SOMETHING HAS CHANGED'}")
    assert unharmed
    assert all(median(times) <= MOST_MILLISECONDS for times in spent.values())
