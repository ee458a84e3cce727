"""The starter publication in a folder of its own, opened and served on a free port: shared by the tests of the web."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa

from migrated import migrated
from syndicate import links
from syndicate.app import App, open_app
from syndicate.store import schema
from syndicate.store.subscribers import Wishes
from syndicate.web.server import Serving, serve

STARTER = Path(__file__).parents[1]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # two days after the newest brief of the starter
ADDRESS = "marrow.kelp@example.org"


def copy_starter(root: Path) -> Path:
    for name in ("config", "content"):
        shutil.copytree(STARTER / name, root / name)
    (root / "feeds").mkdir()
    return root


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def opened(root: Path, at: datetime = NOW) -> Iterator[App]:
    """The publication with its items taken in."""
    migrated(root)
    with open_app(root, at=at, environ={}) as app:
        report = app.content.sync(app.sources, at)
        assert not report.faults, "\n".join(map(str, report.faults))
        yield app


@contextmanager
def served(app: App, port: int = 0) -> Iterator[Serving]:
    serving = serve(app, "127.0.0.1", port)
    try:
        yield serving
    finally:
        serving.stop()


def show(app: App, file: str, day: date) -> str:
    """Show a quote of the starter on ``day`` at six; returns its slug."""
    quote = app.content.quote(f"content/quotes/{file}.md")
    assert quote is not None
    key = app.content.keys([quote.id])[quote.id]
    at = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    app.store.write(lambda connection: app.content.record_day(connection, day, item=key, shown_at=at, state="shown", reason=""))
    return quote.slug


def subscribe(app: App, address: str = ADDRESS) -> str:
    """Make an active subscription; returns the token of its links."""
    app.subscribers.add(address, "digest", Wishes(), at=NOW, covered_to=NOW, consent={"how": "test"})
    with app.store.read() as connection:
        row = connection.execute(sa.select(schema.subscription.c.subscriber, schema.subscription.c.newsletter)).all()[-1]
    return links.sign(links.ReaderToken(subscriber=row.subscriber, newsletter=row.newsletter), app.token_keys)
