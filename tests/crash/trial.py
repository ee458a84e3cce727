"""One trial: a small publication with real mail and real networks on loopback, killed and started again until its books close."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import syndicate
from crash import verdict
from publication import SETTINGS, Publication
from syndicate.model import Frequency
from syndicate.store.subscribers import Wishes
from syndicate.testing import bluesky, mastodon, x

if TYPE_CHECKING:
    from crash.harness import Program, Witness

READERS = {Frequency.INSTANT: 10, Frequency.DAILY: 5, Frequency.WEEKLY: 4}
NETWORKS = ("x", "mastodon", "bluesky")
WORDS = "Give us the keys of your houses and we will keep the doors, for a door that nobody watches is a door that stands open."
POINTS = sorted(
    {
        point
        for path in Path(syndicate.__file__).parent.rglob("*.py")
        for point in re.findall(r'\bfail_at\("([\w.]+)"\)', path.read_text(encoding="utf-8"))
    }
)
PLANNING = ("editions.", "messages.", "posts.", "tick.")
PATIENCE = 3.0  # seconds for a point that may never be passed
WHOLE = 0.1  # of the starts have an interpreter of their own
LATER = tuple(timedelta(minutes=after) for after in (0.75, 4, 16, 40, 70, 140))  # as long as any retry or look may wait
CLEAN_SECONDS = 120
CHANNELS = """
[channels.mail]
kind = "smtp"
host = "127.0.0.1"
port = {mail}
tls = "none"
rate = ""
timeout = 20

[channels.x]
kind = "x"
url = "{x}"

[channels.mastodon]
kind = "mastodon"
url = "{mastodon}"

[channels.bluesky]
kind = "bluesky"
url = "{bluesky}"
handle = "{handle}"

[web]
public_url = "https://letter.test.example"
"""


@dataclass(kw_only=True)
class Outcome:
    """Figures of one trial, or of many."""

    kills: int = 0
    starts: int = 0
    witnessed: int = 0  # mails and posts
    faults: int = 0  # made by the far side
    doubles: int = 0
    losses: int = 0
    uncertain: int = 0
    gone: int = 0  # of the uncertain, those that had left
    complaints: list[str] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)  # where it died by itself

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    def __str__(self) -> str:
        return (
            f"{self.kills} kills in {self.starts} starts, {sum(self.points.values())} of them at {len(self.points)} named points; "
            f"{self.witnessed} deliveries witnessed, {self.faults} faults of the far side; "
            f"{self.doubles} doubled, {self.losses} lost, {self.uncertain} uncertain, of which {self.gone} had gone out"
        )


@dataclass(kw_only=True)
class Trial:
    """A publication and what is done to it."""

    number: int
    root: Path
    chance: Random
    kills: int
    witness: Witness
    program: Program
    faults: float
    point: str = ""
    briefs: list[str] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)  # the witness's, so far
    cuts: int = 0  # mails that were taken and never answered
    outcome: Outcome = field(default_factory=Outcome)

    def run(self) -> Outcome:
        """Begin, kill until enough, let it finish, judge."""
        self._begin()
        while self.outcome.kills < self.kills and self.outcome.starts < 4 * self.kills:
            if self._idle() or self.chance.random() < 0.3:
                self._save()
            self._one_start()
        self.witness.set_faults(0)
        self._finish()
        verdict.judge(self)
        return self.outcome

    # -- the publication ------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Part of every slug, so that the witness tells trials apart."""
        return f"t{self.number}"

    def readers(self, frequency: Frequency) -> list[str]:
        """Their addresses."""
        return [f"{frequency}{number}@readers.example" for number in range(READERS[frequency])]

    def _begin(self) -> None:
        """Started a minute ago; the quote, the daily and the weekly edition fall due in this minute."""
        self._minute = datetime.now(UTC).replace(second=0, microsecond=0)
        at, begun = f"{self._minute:%H:%M}", (self._minute - timedelta(minutes=1)).isoformat()
        settings = SETTINGS.partition("[channels.mail]")[0] + CHANNELS.format(**self.witness.places, handle=bluesky.HANDLE)
        for old, new in (
            ("Europe/Berlin", "UTC"),
            ("daily at 07:00", f"daily at {at}"),
            ("weekly on Mon at 08:00", f"weekly on {self._minute:%a} at {at}"),
            ("daily at 06:00", f"daily at {at}"),
        ):
            assert old in settings
            settings = settings.replace(old, new)
        secrets = {f"X__{key.upper()}": value for key, value in x.KEYS.items()}
        secrets |= {"MASTODON__ACCESS_TOKEN": mastodon.TOKEN, "BLUESKY__APP_PASSWORD": bluesky.APP_PASSWORD}
        self._secrets = {f"SYNDICATE_CHANNELS__{key}": value for key, value in secrets.items()}
        self.publication = Publication(root=self.root, settings=settings, environ=self._secrets)
        self.publication.begin(begun)
        for frequency in READERS:
            names = [address.partition("@")[0] for address in self.readers(frequency)]
            self.publication.subscribe(begun, **dict.fromkeys(names, Wishes(frequency=frequency)))
        for number in range(2):
            self.publication.quote(f"{self.name}-quote{number}", WORDS)
        self._save(self._minute)

    def _save(self, date: datetime | None = None) -> None:
        """A new brief: ten mails and three posts."""
        slug = f"{self.name}-brief{len(self.briefs)}"
        self.publication.brief(slug, (date or datetime.now(UTC)).isoformat(timespec="seconds"))
        self.briefs.append(slug)

    def _idle(self) -> bool:
        """Whether every reader of the newest brief has been reached."""
        reached = sum(f"briefs/{self.briefs[-1]}" in line["items"] for line in self._news())
        return reached >= READERS[Frequency.INSTANT] + len(NETWORKS)

    def _news(self) -> list[dict[str, Any]]:
        """All that the witness has seen of this trial."""
        for line in self.witness.news():
            if "fault" in line:
                self.outcome.faults += 1
                self.cuts += line["fault"] == "accept_cut"
            else:
                self.lines.append(line)
        return self.lines

    # -- killing --------------------------------------------------------------------------------

    def _one_start(self) -> None:
        """Start the program and see it dead, one way or the other."""
        self.witness.set_faults(self.faults)
        whole = not self.program.mutant and self.chance.random() < WHOLE
        once = self.chance.random() < 0.2
        point, seconds, until = self._trigger(slow=whole)
        self.outcome.starts += 1
        self._start("run", *(["--once"] if once else ["--no-web"]), point=point, whole=whole)
        ended = self.program.wait(seconds, until)
        if ended is None:
            self.program.kill()
            self.outcome.kills += 1
        elif ended == -9:
            self.outcome.kills += 1
            self.outcome.points[point.partition(":")[0]] += 1

    def _trigger(self, *, slow: bool) -> tuple[str, float, Callable[[], bool]]:
        """When to kill: at a named point, by the clock, or after so many deliveries."""
        kind, nth = self.chance.random(), min(self.chance.randint(1, 6), self.chance.randint(1, 6))
        # What falls due falls due at the first start: later ones cannot lose a slot.
        planning = [point for point in POINTS if point.startswith(PLANNING)]
        first = self.outcome.starts == 0 and self.chance.random() < 0.7
        point = self.point or self.chance.choice(planning if first else POINTS)
        seconds = self.chance.uniform(0.02, 1.2) * (3 if slow else 1)
        if self.point or first or kind < 0.5:
            return f"{point}:{nth}", PATIENCE, lambda: False
        if kind < 0.8:
            return "", seconds, lambda: False
        wanted = len(self._news()) + self.chance.randint(1, 12)
        return "", PATIENCE, lambda: len(self._news()) >= wanted

    def _start(self, *arguments: str, point: str = "", whole: bool = False) -> None:
        environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "LC_ALL") if name in os.environ}
        environ |= {"HOME": str(self.root / "home"), "SYNDICATE_FAIL_AT": point, **self._secrets}
        self.program.start(["-C", str(self.root), *arguments], environ, self.root / "program.log", whole=whole)

    # -- finishing ------------------------------------------------------------------------------

    def _finish(self) -> None:
        """One clean run; then, at pretended times, what waits for a retry or for a look at an account's own posts."""
        now = datetime.now(UTC)
        for arguments in self._runs(now):
            self._start("run", "--once", *arguments)
            code = self.program.wait(CLEAN_SECONDS, self._runs_away)
            if code is None:
                self.program.kill()
            if code not in {0, 1}:
                self.outcome.complaints.append(f"{self.name}: a clean run ended with {code}")
            if code is None or verdict.closed(self.root):
                break
        self._start("db", "check")
        if self.program.wait(CLEAN_SECONDS) != 0:
            self.outcome.complaints.append(f"{self.name}: `db check` complains")
        self._news()

    def _runs_away(self) -> bool:
        """Whether it sends without end."""
        return len(self._news()) > 3 * (len(self.briefs) + 3) * (sum(READERS.values()) + len(NETWORKS))

    def _runs(self, now: datetime) -> Iterator[list[str]]:
        yield []
        for later in LATER:
            yield ["--at", (now + later).isoformat()]
