"""Pipelined sending against servers that answer well, late, wrongly or not at all (RFC 2920)."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from integration.test_smtp import (
    CUT,
    MUTE,
    REPLIES,
    Errand,
    Script,
    Sink,
    channel,
    grant,
    mail,
    real_server,
    sent,
    tls_context,
)
from syndicate.channels.smtp import sending
from syndicate.channels.smtp.line import Line
from syndicate.errors import Refused, Throttled, Uncertain, Unreachable
from syndicate.model import Message, Receipt

OFFER = {**REPLIES, "EHLO": "250-here\r\n250 PIPELINING"}
LOSE = "250 2.0.0 queued\r\n!lose"  # and forget all that was sent along


class Eager(Script):
    """Answers what came in one packet, in one packet; some of it late, twice, out of order or never."""

    def __init__(
        self, replies: list[dict[str, Any]], *, wait_for_next: bool = False, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(replies, tls=tls)
        self.wait_for_next = wait_for_next

    def _body(self, line: Any, stream: Any, reply: Any) -> bool:
        lines: list[bytes] = []
        while (raw := stream.readline()) and raw != b".\r\n":
            lines.append(raw)
        self.heard.append("." if raw else "no dot")
        if not raw:
            return False
        self.bodies.append(b"".join(lines))
        said = reply.pop(0) if isinstance(reply, list) else reply
        if self.wait_for_next and self.heard.count(".") == 1:
            stream.peek(1)  # comes only if it was sent along
        if said == LOSE:
            line.sendall(b"250 2.0.0 queued\r\n")
            stream.peek(1)
            stream.read1(65536)  # all that came along
            said = MUTE
        return self._say(line, said)

    def _say(self, line: Any, reply: str) -> bool:
        if reply != MUTE:
            return super()._say(line, reply)
        while line.recv(65536):  # until the client has had enough
            pass
        return False


def run_of(n: int) -> list[tuple[str, Message]]:
    return [(f"k{number}", mail(f"reader{number}@example.org", number=number)) for number in range(n)]


def outcomes(server: Script, n: int = 3, **over: Any) -> dict[str, Any]:
    """What became of each; each is told of once."""
    results = sent(channel(server.port, timeout=0.3, **over), run_of(n))
    assert len(results) == len(dict(results))
    return dict(results)


def test_the_next_envelope_goes_along_with_the_text_before() -> None:
    with Eager([OFFER], wait_for_next=True) as server:
        found = outcomes(server)
    assert [type(result) for result in found.values()] == [Receipt] * 3
    assert server.connections == 1
    assert server.heard == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 3, "QUIT"]


class Relay(Sink):
    """Offers pipelining over TLS alone."""

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(["250-PIPELINING"] if session.ssl else []), responses[-1]]


LARGE = [(f"k{n}", mail(number=n, body=b"A line of our own about harbours.\r\n.hidden\r\n" * 800)) for n in range(5)]


@pytest.fixture
def along(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> list[bytes]:
    """What was sent along with each message; the certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate / "cert.pem"))
    found: list[bytes] = []
    hand_over = Line.hand_over

    def noted(self: Line, data: bytes, following: bytes) -> bool:
        found.append(following)
        return hand_over(self, data, following)

    monkeypatch.setattr(Line, "hand_over", noted)
    return found


def test_starttls_pipelines_where_it_is_offered_afterwards(certificate: Path, along: list[bytes]) -> None:
    """Texts of several TLS records arrive byte for byte, with the next envelope behind them."""
    relay = Relay()
    with real_server(relay, tls_context=tls_context(certificate), require_starttls=True) as port:
        found = sent(channel(port, host="localhost", tls="starttls"), LARGE)
    assert [(key, type(result)) for key, result in found] == [(key, Receipt) for key, _ in LARGE]
    assert [data for _, _, data in relay.delivered] == [message.data for _, message in LARGE]
    assert [following[:4] for following in along] == [b"MAIL"] * 4 + [b""]


def test_implicit_tls_pipelines(certificate: Path, along: list[bytes]) -> None:
    with Eager([OFFER], tls=tls_context(certificate)) as server:
        found = sent(channel(server.port, host="localhost", tls="implicit"), LARGE)
    assert [type(result) for _, result in found] == [Receipt] * 5
    assert server.bodies == [message.data.replace(b"\r\n.", b"\r\n..") for _, message in LARGE]
    assert [following[:4] for following in along] == [b"MAIL"] * 4 + [b""]
    assert server.connections == 1


def test_pipelining_can_be_switched_off() -> None:
    with Eager([OFFER]) as server:
        assert all(isinstance(result, Receipt) for result in outcomes(server, pipelining=False).values())


@pytest.mark.parametrize(
    ("verb", "replies", "error"),
    [
        ("RCPT", "550 5.1.1 no such mailbox", Refused),
        ("RCPT", "450 4.2.0 greylisted", Throttled),
        ("MAIL", "451 4.3.0 later", Throttled),
        ("DATA", "554 5.7.1 no", Refused),
        (".", "452 4.2.2 full", Throttled),
        (".", "554 5.6.0 not this text", Refused),
    ],
)
def test_one_refusal_leaves_the_others_and_the_connection(verb: str, replies: str, error: type[Exception]) -> None:
    good = OFFER[verb]
    refusing = {**OFFER, verb: [good, replies, good, good]}
    if verb in {"RCPT", "MAIL"}:  # an honest server has nobody to send a text to then
        refusing["DATA"] = ["354 go", "503 5.5.1 nobody", "354 go"]
    if verb == "MAIL":
        refusing["RCPT"] = ["250 ok", "503 5.5.1 MAIL first", "250 ok"]
    with Eager([refusing]) as server:
        found = outcomes(server)
    assert [type(found[key]) for key in ("k0", "k1", "k2")] == [Receipt, error, Receipt]
    assert server.connections == 1
    assert server.heard.count(".") == (3 if verb == "." else 2)


def test_a_go_ahead_to_nobody_gets_an_empty_text_that_must_be_refused() -> None:
    odd = {**OFFER, "RCPT": ["550 5.1.1 no", "250 ok"], ".": ["554 5.5.1 no valid recipients", "250 ok"]}
    with Eager([odd]) as server:
        found = outcomes(server, 2)
    assert (type(found["k0"]), type(found["k1"])) == (Refused, Receipt)
    assert server.bodies[0] == b""
    with Eager([{**odd, ".": "250 taken"}, OFFER]) as server:  # it takes what it must not: not a word more over this line
        found = outcomes(server, 2)
    assert isinstance(found["k0"], Unreachable)
    assert server.connections == 2


@pytest.mark.parametrize("said", ["421 4.3.2 closing", CUT, MUTE])
@pytest.mark.parametrize(("verb", "first"), [("MAIL", Receipt), ("RCPT", Receipt), ("DATA", Receipt), (".", Uncertain)])
def test_a_server_that_leaves_at_any_stage_costs_no_message_and_doubles_none(
    verb: str, first: type[Exception], said: str
) -> None:
    leaving = [said] if verb == "." else [OFFER[verb], said]
    with Eager([{**OFFER, verb: leaving}, OFFER]) as server:
        found = outcomes(server)
    assert [type(found[key]) for key in ("k0", "k1", "k2")] == [first, Receipt, Receipt]
    assert server.connections == 2
    assert server.heard.count(".") == 3  # each text was handed over once


@pytest.mark.parametrize("lie", [LOSE, "250 2.0.0 queued\r\n999 what", "250 2.0.0 queued\r\n250 ok\r\n250 ok"])
def test_a_server_that_cannot_pipeline_is_believed_no_more(lie: str) -> None:
    with Eager([{**OFFER, ".": [lie, "250 queued"]}, OFFER]) as server:
        through = channel(server.port, timeout=0.3)
        found = dict(sent(through, run_of(3)))
        again = server.heard.index("EHLO", 1)
    # What it said may have answered something else: of the first nobody knows, unless it said so before it fell silent.
    assert type(found["k0"]) is (Receipt if lie == LOSE else Uncertain)
    assert (type(found["k1"]), type(found["k2"])) == (Receipt, Receipt)
    assert server.heard[again:] == ["EHLO", *["MAIL", "RCPT", "DATA", "."] * 2, "QUIT"]
    assert through._pipelines is False


def test_a_late_reply_is_not_taken_for_an_acceptance() -> None:
    """The reply to the text comes behind those to the next envelope."""
    late = {**OFFER, ".": ["250 ok\r\n250 ok\r\n354 go\r\n554 5.6.0 not this text"]}
    with Eager([late, OFFER]) as server:
        found = outcomes(server, 2)
    assert isinstance(found["k0"], Uncertain)
    assert isinstance(found["k1"], Receipt)
    assert server.connections == 2


def test_an_intent_refused_after_a_go_ahead_drops_the_line_without_a_dot() -> None:
    def intend(keys: Sequence[str]) -> set[str]:
        return set(keys) - {"k1"}

    with Eager([OFFER]) as server:
        found = dict(sent(channel(server.port), run_of(3), intend))
    assert (type(found["k0"]), found["k1"], type(found["k2"])) == (Receipt, None, Receipt)
    assert server.heard.count(".") == 2
    assert "no dot" in server.heard


def test_an_old_intent_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def intend(keys: Sequence[str]) -> set[str]:
        asked.extend(keys)
        return set(keys)

    monkeypatch.setattr(sending, "group_of", lambda _: 3)
    with Eager([OFFER]) as server:
        sent(channel(server.port), run_of(3), intend)
        assert asked == ["k0", "k1", "k2"]
        asked.clear()
        monkeypatch.setattr(sending, "STALE_SECONDS", -1.0)
        sent(channel(server.port), run_of(3), intend)
    assert asked == ["k0", "k1", "k2", "k1", "k2", "k2"]


def test_what_was_decided_along_with_another_connection_is_not_asked_for_again() -> None:
    """Nor is the envelope said of one that was refused so."""
    with Eager([OFFER]) as server:
        errand = Errand(run_of(3), lambda keys: pytest.fail(f"{keys} were decided"))
        news = {"k0": time.monotonic(), "k1": 0.0, "k2": time.monotonic()}

        def meanwhile(_: int) -> dict[str, float]:
            return {key: news.pop(key) for key in list(news) if key not in dict(errand._left)}

        errand.meanwhile = meanwhile  # type: ignore[method-assign]
        channel(server.port).send_run(errand)
    found = dict(errand.results)
    assert (type(found["k0"]), found["k1"], type(found["k2"])) == (Receipt, None, Receipt)
    assert (server.connections, server.heard.count("MAIL")) == (1, 2)


def test_the_next_intents_are_asked_for_while_a_reply_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more are in doubt than a group: the one handed over and those asked for."""
    asked: list[tuple[list[str], int]] = []

    def intend(keys: Sequence[str]) -> set[str]:
        asked.append((list(keys), server.heard.count(".")))
        return set(keys)

    monkeypatch.setattr(sending, "group_of", lambda _: 3)
    with Eager([OFFER]) as server:
        sent(channel(server.port), run_of(8), intend)
    assert [keys for keys, _ in asked] == [["k0", "k1", "k2"], ["k3", "k4"], ["k5", "k6"], ["k7"]]
    assert all(heard <= most for (_, heard), most in zip(asked, (0, 3, 5, 7), strict=True))  # the last may still be on its way


def test_what_is_not_sent_when_the_program_ends_is_handed_back() -> None:
    with Eager([OFFER]) as server:
        errand = Errand(run_of(3), grant)
        tell = errand.tell

        def tell_and_stop(key: str, outcome: Any) -> None:
            tell(key, outcome)
            errand.over = True

        errand.tell = tell_and_stop  # type: ignore[method-assign]
        channel(server.port).send_run(errand)
    found = dict(errand.results)
    assert isinstance(found.pop("k0"), Receipt)
    assert set(found.values()) <= {None}
    assert server.heard.count(".") == 1
