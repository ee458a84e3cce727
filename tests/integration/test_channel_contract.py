"""What every channel owes its caller, whatever its network: one suite over every kind that is known."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import threading
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from syndicate import channels
from syndicate.channels import Channel, Deletes
from syndicate.errors import DeliveryError, Refused, Throttled, Uncertain, Unreachable
from syndicate.model import Message, Parcel, Post, Receipt
from syndicate.testing import FakeBluesky, FakeMastodon, FakeWebhook, FakeX, MemoryChannel, Network, make_post
from syndicate.testing.bluesky import APP_PASSWORD, HANDLE
from syndicate.testing.mastodon import TOKEN
from syndicate.testing.webhook import PATHS, SECRET
from syndicate.testing.x import KEYS

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LOST = ("after_accept", "half_body")
LOSSES = int(os.environ.get("LOSSES", "50"))  # `make lost`: 1,000


class Bench(ABC):
    """One channel beside what it sends to, and a clock that both read."""

    replays: ClassVar[bool] = True  # the same key again has no second effect
    asks: ClassVar[bool] = True  # a lost answer can be found out about
    faults: ClassVar[tuple[str, ...]] = ("before_accept", *LOST, "429", "500")
    secrets: ClassVar[tuple[str, ...]] = ()

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.at = NOW
        self.folder = folder
        self.stack = stack
        self.channel = self.build()

    def now(self) -> datetime:
        return self.at

    @abstractmethod
    def build(self) -> Channel: ...

    @abstractmethod
    def fail_next(self, fault: str) -> None: ...

    @abstractmethod
    def refuse(self) -> Parcel:
        """A parcel, or a far side, that earns a refusal for good."""

    @abstractmethod
    def vanish(self) -> None:
        """The far side is not there any more."""

    @abstractmethod
    def witnessed(self) -> list[str]:
        """What the far side has accepted, in order."""

    def parcel(self, number: int = 0) -> Parcel:
        link = f"https://example.org/briefs/{number}?s=sample"
        return make_post(text=f"Note {number}\n\n{link}", link=link)

    def mark(self, number: int) -> str:
        return f"Note {number}\n\nhttps://example.org/briefs/{number}?s=sample"


class OnNetwork(Bench):
    network: Network
    fake: ClassVar[Callable[..., Network]]
    settings: ClassVar[dict[str, Any]]
    kind: ClassVar[str]

    def build(self) -> Channel:
        self.network = self.stack.enter_context(type(self).fake(now=self.now))
        factory = channels.kinds()[self.kind]
        settings = factory.Settings(**{**self.settings, "url": self.network.url, "timeout": 5.0})
        return factory("account", settings, folder=self.folder, now=self.now)

    def fail_next(self, fault: str) -> None:
        self.network.fail_next(fault)  # type: ignore[arg-type]

    def refuse(self) -> Parcel:
        return make_post(text="a" * 5000)

    def vanish(self) -> None:
        self.stack.close()

    def witnessed(self) -> list[str]:
        return [post.text for post in self.network.posts]


class OnX(OnNetwork):
    kind, fake, settings = "x", FakeX, dict(KEYS)
    replays = False
    secrets = tuple(KEYS.values())


class OnMastodon(OnNetwork):
    kind, fake, settings = "mastodon", FakeMastodon, {"access_token": TOKEN}
    secrets = (TOKEN,)


class OnBluesky(OnNetwork):
    kind, fake, settings = "bluesky", FakeBluesky, {"handle": HANDLE, "app_password": APP_PASSWORD}
    secrets = (APP_PASSWORD,)


class OnWebhook(OnNetwork):
    kind, fake = "webhook", FakeWebhook
    form: ClassVar[str] = "json"
    settings: ClassVar[dict[str, Any]] = {"secret": SECRET, "drops_repeats": True}
    secrets = (SECRET, PATHS["json"], PATHS["slack"], PATHS["discord"])

    def build(self) -> Channel:
        fake = self.network = self.stack.enter_context(FakeWebhook(form=self.form, now=self.now))
        factory = channels.kinds()["webhook"]
        settings = factory.Settings(url=fake.address, form=self.form, timeout=5.0, **self.settings)
        return factory("account", settings, folder=self.folder, now=self.now)

    def refuse(self) -> Parcel:
        return make_post(text=" ")


class OnSlack(OnWebhook):
    form, settings = "slack", {}
    replays = asks = False


class OnDiscord(OnSlack):
    form = "discord"


class OnDrop(Bench):
    """The channel that the how-to shows, as it stands there."""

    faults = ()

    def build(self) -> Channel:
        (self.folder / "pick-up").mkdir()
        page = (Path(__file__).parents[2] / "docs/how-to.md").read_text(encoding="utf-8")
        code = page.partition("## Add a channel")[2].partition("```python\n")[2].partition("```")[0]
        module = types.ModuleType("drop")
        sys.modules["drop"] = module  # pydantic looks annotations up there
        self.stack.callback(sys.modules.pop, "drop", None)
        exec(compile(code, "docs/how-to.md", "exec", dont_inherit=True), module.__dict__)
        made: Channel = module.Drop("account", module.DropSettings(path="pick-up"), folder=self.folder, now=self.now)
        return made

    def fail_next(self, fault: str) -> None:
        raise NotImplementedError

    def refuse(self) -> Parcel:
        return make_post(text="a" * 5000)

    def vanish(self) -> None:
        shutil.rmtree(self.folder / "pick-up")

    def witnessed(self) -> list[str]:
        return [file.read_text() for file in sorted((self.folder / "pick-up").glob("*.txt"))]


class OnOutbox(Bench):
    faults = ()

    def build(self) -> Channel:
        factory = channels.kinds()["outbox"]
        return factory("account", factory.Settings(like="mastodon"), folder=self.folder, now=self.now)

    def fail_next(self, fault: str) -> None:
        raise NotImplementedError

    def refuse(self) -> Parcel:
        raise NotImplementedError

    def vanish(self) -> None:
        shutil.rmtree(self.folder / "var" / "outbox", ignore_errors=True)
        (self.folder / "var").mkdir(exist_ok=True)
        (self.folder / "var" / "outbox").write_text("a file where the folder should be")

    def witnessed(self) -> list[str]:
        return [file.read_bytes().decode() for file in sorted((self.folder / "var" / "outbox").rglob("*.http"))]


class OnSmtp(Bench):
    replays = asks = False
    faults = ("before_accept", *LOST, "429")

    def build(self) -> Channel:
        self.relay = self.stack.enter_context(Relay())
        factory = channels.kinds()["smtp"]
        settings = factory.Settings(host="127.0.0.1", port=self.relay.port, tls="none", rate="", timeout=5.0)
        return factory("account", settings, folder=self.folder, now=self.now)

    def fail_next(self, fault: str) -> None:
        self.relay.fault = fault

    def refuse(self) -> Parcel:
        self.relay.fault = "refuse"
        return self.parcel()

    def vanish(self) -> None:
        self.stack.close()

    def witnessed(self) -> list[str]:
        return self.relay.taken

    def parcel(self, number: int = 0) -> Parcel:
        data = f"From: a@example.org\r\nTo: b@example.org\r\nSubject: Note {number}\r\n\r\nHello.\r\n".encode()
        return Message(sender="a@example.org", recipient="b@example.org", data=data, message_id=f"{number}@example.org")


class OnMemory(Bench):
    faults = ()

    def build(self) -> Channel:
        self.memory = MemoryChannel()
        return self.memory

    def fail_next(self, fault: str) -> None:
        raise NotImplementedError

    def refuse(self) -> Parcel:
        self.memory.fail_next(Refused(), accepted=False)
        return self.parcel()

    def vanish(self) -> None:
        self.memory.fail_next(Unreachable(), accepted=False)

    def witnessed(self) -> list[str]:
        return list(self.memory.sent)


class Relay:
    """A mail relay of one connection at a time that fails once as it is told."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.fault = ""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as wire:
                self._talk(wire)

    def _talk(self, wire: Any) -> None:
        say = lambda line: (wire.write(line.encode() + b"\r\n"), wire.flush())  # noqa: E731 - reads like a dialogue
        say("220 ready")
        while line := wire.readline().decode().strip():
            verb = line.split()[0].upper()
            fault, self.fault = (self.fault, "") if verb in {"RCPT", "DATA"} and _meets(verb, self.fault) else ("", self.fault)
            if fault in {"refuse", "429"}:
                say("550 5.1.1 nobody here" if fault == "refuse" else "451 4.7.1 later")
            elif verb == "DATA":
                if fault == "before_accept":
                    return
                say("354 go ahead")
                body = b"".join(iter(wire.readline, b".\r\n"))
                self.taken.append(body.decode())
                if fault == "half_body":
                    wire.write(b"25")
                    wire.flush()
                if fault:
                    return
                say("250 2.0.0 taken")
            else:
                say("221 bye" if verb == "QUIT" else "250 fine")
            if verb == "QUIT":
                return


def _meets(verb: str, fault: str) -> bool:
    return bool(fault) and (verb == "RCPT") == (fault in {"refuse", "429"})


BENCHES: dict[str, type[Bench]] = {
    "x": OnX,
    "mastodon": OnMastodon,
    "bluesky": OnBluesky,
    "webhook": OnWebhook,
    "slack": OnSlack,
    "discord": OnDiscord,
    "drop": OnDrop,
    "outbox": OnOutbox,
    "smtp": OnSmtp,
    "memory": OnMemory,
}
ALL = sorted(BENCHES)
FAULTY = [(kind, fault) for kind in ALL for fault in BENCHES[kind].faults]


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[Callable[[str], Bench]]:
    with ExitStack() as stack:
        yield lambda kind: BENCHES[kind](tmp_path, stack.enter_context(ExitStack()))


def test_every_known_kind_has_its_bench() -> None:
    assert set(channels.kinds()) <= set(BENCHES)


@pytest.mark.parametrize("kind", ALL)
def test_a_channel_is_what_it_says(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    assert isinstance(bench.channel, Channel)
    assert (bench.channel.kind, bench.channel.local) == (getattr(bench, "kind", kind), True)
    if kind in channels.kinds():
        assert channels.kinds()[kind].kind == kind


@pytest.mark.parametrize("kind", ALL)
def test_what_is_taken_has_a_receipt_and_is_witnessed_once(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    receipt = bench.channel.send(bench.parcel(), "key")
    assert receipt.remote_id
    assert len(bench.witnessed()) == 1


@pytest.mark.parametrize("kind", sorted(set(ALL) - {"outbox"}))
def test_a_refusal_is_refused_and_leaves_nothing(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    parcel = bench.refuse()
    with pytest.raises(Refused):
        bench.channel.send(parcel, "key")
    assert bench.witnessed() == []


@pytest.mark.parametrize("kind", [kind for kind, fault in FAULTY if fault == "429"])
def test_a_rate_limit_names_a_time_that_lies_ahead(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    bench.fail_next("429")
    with pytest.raises(Throttled) as throttled:
        bench.channel.send(bench.parcel(), "key")
    assert NOW < throttled.value.retry_at < NOW + timedelta(days=1)
    assert throttled.value.retry_at.tzinfo is not None
    assert bench.witnessed() == []


@pytest.mark.parametrize("kind", ALL)
def test_nobody_there_is_unreachable(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    bench.vanish()
    with pytest.raises(Unreachable):
        bench.channel.send(bench.parcel(), "key")


@pytest.mark.parametrize(("kind", "fault"), [pair for pair in FAULTY if pair[1] in LOST])
def test_a_lost_answer_is_uncertain_and_then_found_out(kind: str, fault: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    bench.fail_next(fault)
    with pytest.raises(Uncertain):
        bench.channel.send(bench.parcel(), "key")
    bench.at += timedelta(minutes=2)
    if bench.asks:
        found = bench.channel.reconcile(bench.parcel(), "key", NOW)
        assert found is not None
        assert found.remote_id
    else:
        with pytest.raises(Uncertain):
            bench.channel.reconcile(bench.parcel(), "key", NOW)
    assert len(bench.witnessed()) == 1


@pytest.mark.parametrize(("kind", "fault"), [pair for pair in FAULTY if pair[1] in {"before_accept", "500"}])
def test_what_was_lost_on_the_way_leaves_once_in_the_end(kind: str, fault: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    bench.fail_next(fault)
    with pytest.raises((Uncertain, Unreachable)) as lost:
        bench.channel.send(bench.parcel(), "key")
    assert bench.witnessed() == []
    if bench.asks:
        assert lost.type is Uncertain
        assert _see_it_through(bench, 0)
        assert len(bench.witnessed()) == 1


@pytest.mark.parametrize("kind", [kind for kind in ALL if BENCHES[kind].asks])
def test_the_same_key_twice_is_witnessed_once(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    first = bench.channel.send(bench.parcel(), "key")
    if bench.replays:
        assert bench.channel.send(bench.parcel(), "key").remote_id == first.remote_id
    else:
        with pytest.raises(Uncertain):
            bench.channel.send(bench.parcel(), "key")
    assert len(bench.witnessed()) == 1


@pytest.mark.parametrize("kind", ["bluesky", "mastodon", "webhook", "x"])
def test_many_lost_answers_make_no_double_and_no_loss(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    for number in range(LOSSES):
        for fault in (BENCHES[kind].faults * 2)[number % 5 :][: 1 + number % 2]:
            bench.fail_next(fault)
        assert _see_it_through(bench, number), number
        bench.at += timedelta(minutes=5)
    assert bench.witnessed() == [bench.mark(number) for number in range(LOSSES)]


def _see_it_through(bench: Bench, number: int) -> Receipt | None:
    """As the runtime does: send; ask about what is uncertain; send again only what has provably not left."""
    parcel, key, since, doubtful = bench.parcel(number), f"key {number}", bench.at, False
    if isinstance(parcel, Post):
        parcel = replace(parcel, created=bench.at)  # frozen when it came due
    for _ in range(8):
        try:
            if not doubtful:
                since = bench.at
                return bench.channel.send(parcel, key)
            found = bench.channel.reconcile(parcel, key, since)
            if found is not None:
                return found
            doubtful = False
        except Uncertain:
            doubtful = True
        except (Throttled, Unreachable):
            pass
        bench.at += timedelta(seconds=40)
    return None


@pytest.mark.parametrize("kind", ALL)
def test_a_request_needs_no_network_tells_no_secret_and_never_changes(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    bench.vanish()
    request = bench.channel.request(bench.parcel(), "key")
    bench.at += timedelta(days=1)
    assert bench.channel.request(bench.parcel(), "key") == request
    told = repr(request)
    assert not [secret for secret in bench.secrets if secret in told]


@pytest.mark.parametrize("kind", ALL)
def test_the_doctor_never_raises(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    assert all(finding.what for finding in bench.channel.doctor())
    bench.vanish()
    for finding in bench.channel.doctor():
        assert finding.ok or finding.advice


@pytest.mark.parametrize("kind", ALL)
def test_closing_twice_is_harmless(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    bench.channel.send(bench.parcel(), "key")
    bench.channel.close()
    bench.channel.close()


@pytest.mark.parametrize("kind", [kind for kind in ALL if BENCHES[kind].faults])
def test_only_the_errors_of_the_tree_come_out(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    for fault in bench.faults:
        bench.fail_next(fault)
        with pytest.raises(DeliveryError) as raised:
            bench.channel.send(bench.parcel(), "key")
        assert type(raised.value) in {Refused, Throttled, Unreachable, Uncertain}
        assert 0 < len(str(raised.value)) < 500
        assert not [secret for secret in bench.secrets if secret in f"{raised.value} {raised.value.advice}"]


DELETING = [kind for kind in ALL if kind not in {"smtp", "slack", "drop"}]


@pytest.mark.parametrize("kind", DELETING)
def test_what_was_posted_is_deleted_and_deleting_it_again_is_as_good(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    assert isinstance(bench.channel, Deletes)
    kept, gone = bench.channel.send(bench.parcel(1), "one"), bench.channel.send(bench.parcel(2), "two")
    assert bench.channel.delete(gone.remote_id).remote_id
    assert bench.channel.delete(gone.remote_id).remote_id
    if isinstance(bench, OnNetwork):
        assert [post.id for post in bench.network.standing] == [kept.remote_id.rpartition("/")[2]]
        asked = bench.network.asked[-1]
        request = bench.channel.delete_request(gone.remote_id)
        assert (asked.method, asked.body) == (request.method, request.body)
        assert isinstance(bench, OnWebhook) or request.url.endswith(asked.path)  # the path of a webhook is a secret


@pytest.mark.parametrize("kind", sorted({"x", "mastodon", "bluesky"} & set(ALL)))
def test_a_deletion_that_gets_no_answer_is_not_called_done(kind: str, open_bench: Callable[[str], Bench]) -> None:
    bench = open_bench(kind)
    gone = bench.channel.send(bench.parcel(), "key")
    bench.vanish()
    assert isinstance(bench.channel, Deletes)
    with pytest.raises((Unreachable, Uncertain)):
        bench.channel.delete(gone.remote_id)
