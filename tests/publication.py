"""Small publications for tests: invented people, outbox channels, the starter's own templates."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from migrated import migrated
from syndicate import starter
from syndicate.app import App, open_app
from syndicate.publish.tick import TickReport, tick
from syndicate.runtime import Runtime
from syndicate.store.subscribers import Wishes

SETTINGS = """
[site]
title = "The Test Letter"
url = "https://test.example"
language = "en"
zone = "Europe/Berlin"
organisation = "The Test Institute"
postal_address = "1 Test Lane, Testham"
contact = "editors@test.example"
tag_authority = "test.example,2015"

[sources.briefs]
kind = "markdown"
path = "content/briefs"

[sources.quotes]
kind = "quotes"
path = "content/quotes"

[feeds.briefs]
items = "briefs"

[feeds.quotes]
items = "quotes"

[newsletters.digest]
title = "The Test Letter"
from = "The Test Letter <letter@test.example>"
channel = "mail"
daily = "daily at 07:00"
weekly = "weekly on Mon at 08:00"

[quotes]
schedule = "daily at 06:00"
approval = "solo"
archive_hosts = ["archive.test.example"]

[channels.mail]
kind = "outbox"
like = "smtp"
"""
SOCIAL = """
[channels.mastodon]
kind = "outbox"
like = "mastodon"

[channels.bluesky]
kind = "outbox"
like = "bluesky"

[channels.x]
kind = "outbox"
like = "x"
"""


@dataclass(kw_only=True)
class Publication:
    """A folder that a test fills and runs."""

    root: Path
    settings: str = SETTINGS
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the folder out."""
        for name in ("config", "content/briefs", "content/quotes", "feeds"):
            (self.root / name).mkdir(parents=True)
        (self.root / "config" / "syndicate.toml").write_text(self.settings, encoding="utf-8")

    def copied(self, root: Path) -> Publication:
        """The same folder in another place, closed as it is: made dearly once, and written by one test alone."""
        shutil.copytree(self.root, root)
        made = copy.copy(self)  # not made anew: that would lay the folder out
        made.root = root
        return made

    def brief(self, name: str, date: str, *, title: str = "", body: str = "A body of our own.", **front: str) -> Path:
        """Write a brief; ``date`` as the author would."""
        lines = [f"title: {title or 'About ' + name}", f"date: {date}", *(f"{key}: {value}" for key, value in front.items())]
        return self._write(f"content/briefs/{name}.md", "---\n" + "\n".join(lines) + f"\n---\n\n{body}\n")

    def quote(self, name: str, words: str, **front: str) -> Path:
        """Write a quote of an invented speaker, complete."""
        facts = {
            "id": name,
            "kind": "words",
            "title": f"A passage from record {name}",
            "context": "We show how a closed movement asked for obedience.",
            "contains": "pressure to obey",
            "speaker": f"Speaker {name}",
            "role": "Founder of an invented movement",
            "date": "Undated",
            "lang": "en",
            "source": f"https://records.test.example/{name}",
            "archive": f"https://archive.test.example/{name}",
        } | front
        lines = [f"{key}: {value}" for key, value in facts.items()]
        return self._write(f"content/quotes/{name}.md", "---\n" + "\n".join(lines) + f"\n---\n{words}\n")

    def template(self, name: str) -> Path:
        """The publication's own ``email/edition.html.j2`` or another, to be changed: as long as it has none, the program's stands."""
        path = self.root / "templates" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(starter.folder() / "templates" / name, path)
        return path

    def _write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.write_text(text, encoding="utf-8")
        return target

    @contextmanager
    def opened(self, at: str) -> Iterator[App]:
        """The publication at a pretended time."""
        migrated(self.root)
        with open_app(self.root, at=instant(at), environ=self.environ) as app:
            yield app

    def begin(self, at: str) -> None:
        """Make the database: its start mark is ``at``."""
        with self.opened(at):
            pass

    def subscribe(self, at: str, **wishes: Wishes) -> None:
        """Active readers ``NAME@readers.example`` from ``at`` on."""
        with self.opened(at) as app:
            for name, wish in wishes.items():
                app.subscribers.add(
                    f"{name}@readers.example", "digest", wish, at=instant(at), covered_to=instant(at), name=name, consent={}
                )

    def run(self, at: str) -> TickReport:
        """One tick and everything it made due."""
        with self.opened(at) as app:
            report = tick(app, app.now())
            Runtime(app).drain()
        return report

    def outbox(self, channel: str = "mail") -> list[Path]:
        """What was written, in order of its path."""
        return sorted(path for path in (self.root / "var" / "outbox" / channel).rglob("*") if path.is_file())

    def snapshot(self, *folders: str) -> dict[str, tuple[int, bytes]]:
        """Every public file and parcel: mtime in ns and bytes."""
        return {
            path.relative_to(self.root).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
            for folder in folders or ("feeds", "var/outbox")
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file()
        }


def instant(text: str) -> datetime:
    """``2026-11-23 07:00`` UTC, or any ISO time."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def to(paths: Sequence[Path]) -> list[str]:
    """The readers' names in the To headers of ``.eml`` files."""
    import email
    import email.policy

    found = []
    for path in paths:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found.append(str(message["To"]).rpartition("<")[2].partition("@")[0])
    return sorted(found)
