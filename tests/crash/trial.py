"""One trial: a small publication with real mail and real networks on loopback, killed and started again until its books close."""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import syndicate
from crash import editor, verdict
from crash.editor import Editor
from publication import SETTINGS, Publication
from syndicate.model import Frequency
from syndicate.store.subscribers import Wishes
from syndicate.testing import bluesky, mastodon, x

if TYPE_CHECKING:
    from crash.harness import Program, Witness

FEW = {Frequency.INSTANT: 10, Frequency.DAILY: 5, Frequency.WEEKLY: 4}
MANY = {**FEW, Frequency.INSTANT: 40}
SLOW = (0.0, 0.002, 0.008)  # seconds that the sink takes for a mail; with the last of them no intent is recorded for a group
NETWORKS = ("x", "mastodon", "bluesky")
WORDS = "Give us the keys of your houses and we will keep the doors, for a door that nobody watches is a door that stands open."
# Passed by commands and settings that a trial has not; each is killed there by a test of its own.
ELSEWHERE = {
    "websub.before_ping": "integration/test_websub.py",
    "websub.after_ping": "integration/test_websub.py",
}
EVERY_POINT = frozenset(
    point
    for path in Path(syndicate.__file__).parent.rglob("*.py")
    for point in re.findall(r'\bfail_at\("([\w.]+)"\)', path.read_text(encoding="utf-8"))
)
POINTS = sorted(EVERY_POINT - ELSEWHERE.keys())
EDITORS = {point for points in editor.POINTS.values() for point in points}
PLANNING = ("editions.", "messages.", "posts.", "tick.")
FIRST = [point for point in POINTS if point.startswith(PLANNING)]
SENDING = [point for point in POINTS if point not in EDITORS]
PATIENCE = 3.0  # seconds for a point that may never be passed
QUIET = 0.3  # seconds without work, after which it is not waited for any longer
WHOLE = 0.1  # of the starts have an interpreter of their own
STOPPED = 0.1  # of the starts end by SIGTERM
PIPELINED = 0.8  # of the trials
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
    stops: int = 0  # by SIGTERM, which leaves nothing in doubt
    witnessed: int = 0  # mails and posts
    posts: int = 0  # of them
    faults: int = 0  # made by the far side
    doubles: int = 0
    losses: int = 0
    uncertain: int = 0
    gone: int = 0  # of the uncertain, those that had left
    complaints: list[str] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)  # where it died by itself
    plan: list[str] = field(default_factory=list)  # what was decided for each start
    mended: list[float] = field(default_factory=list)  # seconds from a kill to the next mail or post, where work was left

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    def __str__(self) -> str:
        mended = sorted(self.mended) or [0.0]
        return (
            f"{self.kills} kills and {self.stops} stops in {self.starts} starts, {sum(self.points.values())} of them at {len(self.points)} named points; "
            f"{self.witnessed} deliveries witnessed, {self.posts} of them posts, {self.faults} faults of the far side; "
            f"{self.doubles} doubled, {self.losses} lost, {self.uncertain} uncertain, of which {self.gone} had gone out; from a kill to the next message "
            f"{mended[len(mended) // 2]:.2f} s, nine in ten within {mended[len(mended) * 9 // 10]:.2f} s"
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
    slow: float = 0.0  # seconds
    pipelining: bool = True  # whether the sink offers it
    plain: bool = False  # nothing but briefs: no thread, no picture, nothing is put right
    edited: Counter[tuple[str, str]] = field(default_factory=Counter)  # (network, id) of posts that were changed in place
    deleted: set[tuple[str, str]] = field(default_factory=set)  # (network, id)
    crowd: Mapping[Frequency, int] = field(default_factory=lambda: FEW)  # readers
    gone: set[str] = field(default_factory=set)  # addresses that left before everything reached them
    _killed: float = 0.0  # when, with work left; 0: not so
    _seen: int = 0  # lines of the witness by then
    outcome: Outcome = field(default_factory=Outcome)

    def __post_init__(self) -> None:
        """Nothing is written yet."""
        self.editor = Editor(chance=self.chance)
        self._seed = self.chance.random()

    def run(self) -> Outcome:
        """Begin, kill until enough, let it finish, judge."""
        self.slow, self.crowd = self.chance.choice(SLOW), self.chance.choice((FEW, MANY))
        self.pipelining = self.chance.random() < PIPELINED
        self.begin()
        while self.outcome.kills < self.kills and self.outcome.starts < 4 * self.kills:
            # Each start has a chance of its own: how far the program had come at the last one moves no decision at this one.
            self.chance = self.editor.chance = Random(f"{self._seed}/{self.outcome.starts}")
            saved = self.chance.random() < 0.3
            self._one_start(save=saved or self._idle())
        self.finish()
        verdict.judge(self)
        return self.outcome

    # -- the publication ------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Part of every slug, so that the witness tells trials apart."""
        return f"t{self.number}"

    def readers(self, frequency: Frequency) -> list[str]:
        """Their addresses."""
        return [f"{frequency}{number}@readers.example" for number in range(self.crowd[frequency])]

    def everybody(self) -> list[str]:
        """Every reader's address."""
        return [address for frequency in self.crowd for address in self.readers(frequency)]

    def begin(self) -> None:
        """Started a minute ago; the quote, the daily and the weekly edition fall due in this minute."""
        self.behave(faults=0.0)
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
        for frequency in self.crowd:
            names = [address.partition("@")[0] for address in self.readers(frequency)]
            self.publication.subscribe(begun, **dict.fromkeys(names, Wishes(frequency=frequency)))
        for number in range(2):
            self.publication.quote(f"{self.name}-quote{number}", WORDS)
        self.save(self._minute)

    def save(self, date: datetime | None = None) -> None:
        """A new brief: mails to all who want each at once, and posts on three networks."""
        slug = f"{self.name}-brief{len(self.briefs)}"
        written = (date or datetime.now(UTC)).isoformat(timespec="seconds")
        self.editor.write(self.publication, slug, written, plain=self.plain)
        self.briefs.append(slug)

    def _idle(self) -> bool:
        """Whether every reader of the newest brief has been reached."""
        reached = sum(f"briefs/{self.briefs[-1]}" in line["items"] for line in self.news())
        return reached >= self.crowd[Frequency.INSTANT] + len(NETWORKS)

    def news(self) -> list[dict[str, Any]]:
        """All that the witness has seen of this trial."""
        for line in self.witness.news():
            if "fault" in line:
                self.outcome.faults += 1
                self.cuts += line["fault"] == "accept_cut"
            elif "edited" in line:
                self.edited[line["where"], line["edited"]] += 1
            elif "deleted" in line:
                self.deleted.add((line["where"], line["deleted"]))
            else:
                self.lines.append(line)
        return self.lines

    # -- killing --------------------------------------------------------------------------------

    def behave(self, **manner: float | bool) -> None:
        """Tell the far side how to be in this trial."""
        self.witness.behave(**{"slow": self.slow, "pipelining": self.pipelining, **manner})

    def _one_start(self, *, save: bool) -> None:
        """Start the program and see it dead, one way or the other. ``save``: with a new brief to send."""
        self.behave(faults=self.faults)
        whole = not self.program.mutant and self.chance.random() < WHOLE
        once = self.chance.random() < 0.2
        stop = not self.point and self.chance.random() < STOPPED
        deed = [] if self.plain or self.point or not self.outcome.starts else self.editor.deed(self.briefs)
        point, seconds, until = self._trigger(deed, slow=whole)
        self.outcome.plan.append(f"{self.name} {deed[:1]} {point or f'{seconds:.3f}'} {whole=} {once=} {stop=}")
        if save:
            self.save()
        self.outcome.starts += 1
        stop = stop and not deed
        arguments = deed or ["run", "--once" if once else "--no-web"]
        self.start(*arguments, point="" if stop else point, whole=whole)
        ended = self.program.wait(min(seconds, 1.0) if stop else seconds, until)
        killed = time.time()
        if ended is None and stop:
            ended = self.stop()
        if ended is None:
            self.program.kill()
        if ended in {None, -9, -15}:  # the last: it had not come as far as listening to signals
            self.outcome.kills += 1
        if ended == -9 and not stop:
            self.outcome.points[point.partition(":")[0]] += 1
        self._mended(killed if ended in {None, -9, -15} else None)

    def stop(self) -> int | None:
        """SIGTERM: it finishes what is in hand, records it and leaves nothing in doubt."""
        self.program.signal(signal.SIGTERM)
        ended = self.program.wait(CLEAN_SECONDS)
        if ended == 0:
            self.outcome.stops += 1
            left = sum(row["state"] == "sending" for row in verdict.rows(self.root, verdict.DUTIES))
            if left:
                self.outcome.complaints.append(f"{self.name}: a stop left {left} in doubt")
        return ended

    def _mended(self, killed: float | None) -> None:
        """Keep how long after the kill before this start the first message left, if it did."""
        lines = self.news()
        if self._killed and len(lines) > self._seen:
            self.outcome.mended.append(lines[self._seen]["at"] - self._killed)
        self._killed, self._seen = (0.0 if killed is None or self._idle() else killed), len(lines)

    def _trigger(self, deed: list[str], *, slow: bool) -> tuple[str, float, Callable[[], bool]]:
        """When to kill: at a named point, by the clock, or after so many deliveries."""
        kind, nth = self.chance.random(), min(self.chance.randint(1, 6), self.chance.randint(1, 6))
        nth = 1 if self.chance.random() < 0.5 else nth  # some points are passed once in a start
        # What falls due falls due at the first start: later ones cannot lose a slot.
        first = self.outcome.starts == 0 and self.chance.random() < 0.7
        among = editor.POINTS[deed[0]] if deed else FIRST if first else SENDING
        # In turn, so that chance leaves none out.
        turn = 3 * self.number + 7 * self.outcome.starts
        point = self.point or (self.chance.choice(among) if deed or first else among[turn % len(among)])
        seconds = self.chance.uniform(0.02, 1.2) * (3 if slow else 1)
        if deed and kind < 0.5:
            return point, PATIENCE, lambda: False
        if self.point or first or kind < 0.5:
            return f"{point}:{min(nth, 2) if first or self.point else nth}", PATIENCE, self._quiet()
        if kind < 0.8:
            return "", seconds, lambda: False
        wanted = len(self.news()) + self.chance.randint(1, 12)
        return "", PATIENCE, lambda: len(self.news()) >= wanted

    def _quiet(self) -> Callable[[], bool]:
        """Whether all has been done for a while: a point that was not passed by then will not be."""
        since: list[float] = []

        def quiet() -> bool:
            if not self._idle():
                return False
            since.append(time.monotonic())
            return since[-1] - since[0] > QUIET

        return quiet

    def start(self, *arguments: str, point: str = "", whole: bool = False) -> None:
        environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "LC_ALL") if name in os.environ}
        environ |= {"HOME": str(self.root / "home"), "SYNDICATE_FAIL_AT": point, **self._secrets}
        self.program.start(["-C", str(self.root), *arguments], environ, self.root / "program.log", whole=whole)

    # -- finishing ------------------------------------------------------------------------------

    def finish(self) -> None:
        """One clean run; then, at pretended times, what waits for a retry or for a look at an account's own posts."""
        self.behave(faults=0.0)
        for deed in self.editor.again():
            self.start(*deed)
            if self.program.wait(CLEAN_SECONDS) not in {0, 1}:
                self.outcome.complaints.append(f"{self.name}: `{' '.join(deed)}` came to no end")
        now = datetime.now(UTC)
        for arguments in self._runs(now):
            self.start("run", "--once", *arguments)
            code = self.program.wait(CLEAN_SECONDS, self._runs_away)
            if code is None:
                self.program.kill()
            if code not in {0, 1}:
                self.outcome.complaints.append(f"{self.name}: a clean run ended with {code}")
            if code is None or verdict.closed(self.root):
                break
        self.start("db", "check")
        if self.program.wait(CLEAN_SECONDS) != 0:
            self.outcome.complaints.append(f"{self.name}: `db check` complains")
        self.news()

    def _runs_away(self) -> bool:
        """Whether it sends without end."""
        return len(self.news()) > 3 * (2 * len(self.briefs) + 3) * (sum(self.crowd.values()) + len(NETWORKS))

    def _runs(self, now: datetime) -> Iterator[list[str]]:
        yield []
        for later in LATER:
            yield ["--at", (now + later).isoformat()]
