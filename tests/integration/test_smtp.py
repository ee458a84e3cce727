"""SMTP against a real server on loopback, and against one that misbehaves."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from pydantic import ValidationError

from syndicate.channels.smtp import Smtp, SmtpSettings
from syndicate.errors import Refused, Throttled, Uncertain, Unreachable
from syndicate.model import Message, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PASSWORD = "a-rope-of-herons"


def mail(to: str = "m.arden@example.org", body: bytes = b"Hello.\r\n", number: int = 1) -> Message:
    return Message(
        sender="letter@example.org",
        recipient=to,
        data=b"From: letter@example.org\r\nTo: m.arden@example.org\r\nSubject: Hello\r\n\r\n" + body,
        message_id=f"{number}@example.org",
    )


def channel(port: int, **over: Any) -> Smtp:
    settings = SmtpSettings(**{"host": "127.0.0.1", "port": port, "tls": "none", "rate": "", "timeout": 2.0, **over})
    return Smtp("mail", settings, folder=Path(), now=lambda: NOW)


def grant(keys: Sequence[str]) -> set[str]:
    return set(keys)


class Errand:
    """A run over a list of parcels (channels.Run)."""

    def __init__(self, parcels: Sequence[tuple[str, Message]], intend: Callable[[Sequence[str]], set[str]]) -> None:
        self._left = list(parcels)
        self.intend = intend
        self.results: list[tuple[str, Any]] = []
        self.over = False

    def take(self, most: int, *, wait: bool) -> Sequence[tuple[str, Message]]:
        found, self._left = self._left[:most], self._left[most:]
        return found

    def meanwhile(self, most: int) -> dict[str, float]:
        return {}

    def tell(self, key: str, outcome: Any) -> None:
        self.results.append((key, outcome))

    def stopping(self) -> bool:
        return self.over


def sent(
    through: Smtp, parcels: Sequence[tuple[str, Message]], intend: Callable[[Sequence[str]], set[str]] = grant
) -> list[tuple[str, Any]]:
    """What became of each, in the order in which it was told."""
    errand = Errand(parcels, intend)
    through.send_run(errand)
    return errand.results


# -- a real server --------------------------------------------------------------------------------


class Sink:
    """Keeps what was delivered."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.delivered.append((envelope.mail_from, envelope.rcpt_tos, envelope.original_content))
        return "250 2.0.0 taken"


@contextmanager
def real_server(sink: Sink, **options: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def tls_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


def test_a_message_arrives_byte_for_byte() -> None:
    sink = Sink()
    body = b".\r\n..two\r\n.hidden\r\nFrom here on\r\n\r\n"
    with real_server(sink) as port:
        receipt = channel(port).send(mail(body=body), "k")
    assert receipt == Receipt(remote_id="1@example.org")
    assert sink.delivered == [("letter@example.org", ["m.arden@example.org"], mail(body=body).data)]


def test_a_run_keeps_its_order_and_uses_one_connection() -> None:
    sink = Sink()
    with real_server(sink) as port:
        run = [(f"k{n}", mail(f"reader{n}@example.org", number=n)) for n in range(7)]
        results = sent(channel(port, max_per_connection=3), run)
    assert [key for key, _ in results] == [f"k{n}" for n in range(7)]
    assert all(isinstance(result, Receipt) for _, result in results)
    assert [rcpt for _, (rcpt,), _ in sink.delivered] == [f"reader{n}@example.org" for n in range(7)]


def test_a_message_too_large_for_the_server_is_refused_before_anything_is_said() -> None:
    sink = Sink()
    with real_server(sink, data_size_limit=2000) as port, pytest.raises(Refused, match="2,000") as caught:
        channel(port).send(mail(body=b"x\r\n" * 1000), "k")
    assert caught.value.code == "5.3.4"
    assert sink.delivered == []


def test_starttls_refuses_a_certificate_that_nobody_vouches_for(certificate: Path) -> None:
    sink = Sink()
    with (
        real_server(sink, tls_context=tls_context(certificate), require_starttls=True) as port,
        pytest.raises(Unreachable, match="certificate") as caught,
    ):
        channel(port, host="localhost", tls="starttls").send(mail(), "k")
    assert caught.value.advice
    assert sink.delivered == []


def test_starttls_and_sign_in_with_a_trusted_certificate(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate / "cert.pem"))
    seen: list[bytes] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append(data.password)
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    sink = Sink()
    with real_server(
        sink, tls_context=tls_context(certificate), require_starttls=True, auth_required=True, authenticator=check
    ) as port:
        good = channel(port, host="localhost", tls="starttls", username="letter", password=PASSWORD)
        assert good.send(mail(), "k").remote_id
        assert all(finding.ok for finding in good.doctor())
        bad = channel(port, host="localhost", tls="starttls", username="letter", password="wrong-heron")
        with pytest.raises(Unreachable, match="sign-in") as caught:
            bad.send(mail(), "k")
        assert "wrong-heron" not in f"{caught.value} {caught.value.advice} {caught.value.__cause__} {bad.doctor()}"
    assert PASSWORD.encode() in seen
    assert len(sink.delivered) == 1


def test_implicit_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate / "cert.pem"))
    with Script([REPLIES], tls=tls_context(certificate)) as server:
        assert channel(server.port, host="localhost", tls="implicit").send(mail(), "k").remote_id


def test_starttls_that_is_not_offered_stops_before_any_credential(certificate: Path) -> None:
    with Script([REPLIES]) as server, pytest.raises(Unreachable, match="STARTTLS"):
        channel(server.port, host="localhost", tls="starttls", username="letter", password=PASSWORD).send(mail(), "k")
    assert server.heard == ["EHLO"]


# -- a misbehaving server ---------------------------------------------------------------------------

REPLIES = {"MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go", ".": "250 2.0.0 queued", "RSET": "250 ok", "QUIT": "221 bye"}
CUT = "cut"  # close without a word
MUTE = "mute"  # hold the line and say nothing


class Script:
    """Serves one set of replies for each connection in turn. A reply may be a list: one for each time it is asked."""

    def __init__(self, replies: list[dict[str, Any]], *, tls: ssl.SSLContext | None = None, greeting: str = "220 here") -> None:
        self._replies = replies
        self._tls = tls
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self._stop = threading.Event()
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Script:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                plain, _ = self._listener.accept()
            except (TimeoutError, OSError):
                continue
            replies = self._replies[min(self.connections, len(self._replies) - 1)]
            self.connections += 1
            with plain:
                plain.settimeout(5)
                line = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
                with line, suppress(OSError):  # a client that has gone is no fault of the server's
                    self._talk(line, {verb: list(said) if isinstance(said, list) else said for verb, said in replies.items()})

    def _talk(self, line: socket.socket, replies: dict[str, Any]) -> None:
        with ExitStack() as stack:
            stream = stack.enter_context(line.makefile("rb"))
            line.sendall(f"{self._greeting}\r\n".encode())
            while raw := stream.readline():
                verb = raw.split()[0].decode().upper().partition(":")[0] if raw.strip() else ""
                self.heard.append(verb)
                reply = replies.get(verb, "250 here" if verb == "EHLO" else "502 what")
                reply = reply.pop(0) if isinstance(reply, list) else reply
                if not self._say(line, reply):
                    return
                if reply.startswith("354") and not self._body(line, stream, replies["."]):
                    return
                if verb == "QUIT":
                    return

    def _body(self, line: socket.socket, stream: Any, reply: Any) -> bool:
        lines: list[bytes] = []
        while (raw := stream.readline()) and raw != b".\r\n":
            lines.append(raw)
        if not raw:
            self.heard.append("no dot")
            return False
        self.heard.append(".")
        self.bodies.append(b"".join(lines))
        return self._say(line, reply.pop(0) if isinstance(reply, list) else reply)

    def _say(self, line: socket.socket, reply: str) -> bool:
        if reply == CUT:
            return False
        if reply == MUTE:
            self._stop.wait(5)
            return False
        line.sendall(f"{reply}\r\n".encode())
        return True


def outcome(replies: dict[str, Any]) -> tuple[Any, Script]:
    with Script([{**REPLIES, **replies}, REPLIES]) as server:
        ((_, result),) = sent(channel(server.port, timeout=0.5), [("k", mail())], grant)
    return result, server


@pytest.mark.parametrize(
    ("replies", "error", "code"),
    [
        ({"RCPT": "450 4.2.0 greylisted, come back later"}, Throttled, "4.2.0"),
        ({"RCPT": "550 5.1.1 no such mailbox"}, Refused, "5.1.1"),
        ({"RCPT": "550 no such mailbox"}, Refused, "550"),
        ({"RCPT": "421 4.3.2 closing"}, Unreachable, "421"),
        ({"RCPT": CUT}, Unreachable, ""),
        ({"RCPT": MUTE}, Unreachable, ""),
        ({"MAIL": "451 4.3.0 later"}, Throttled, "4.3.0"),
        ({"MAIL": "550 5.7.1 not your address"}, Unreachable, "5.7.1"),
        ({"MAIL": "552 5.3.4 too large"}, Refused, "5.3.4"),
        ({"DATA": "554 5.7.1 no"}, Refused, "5.7.1"),
        ({"DATA": "451 4.7.1 later"}, Throttled, "4.7.1"),
        ({"DATA": "250 what"}, Unreachable, "250"),
        ({"DATA": CUT}, Unreachable, ""),
        ({".": "451 4.3.0 disk"}, Throttled, "4.3.0"),
        ({".": "554 5.6.0 not this text"}, Refused, "5.6.0"),
        ({".": "421 4.3.2 closing"}, Uncertain, "421"),
        ({".": "354 what"}, Uncertain, "354"),
        ({".": CUT}, Uncertain, ""),
        ({".": MUTE}, Uncertain, ""),
    ],
)
def test_each_reply_says_what_to_do(replies: dict[str, Any], error: type[Exception], code: str) -> None:
    result, _ = outcome(replies)
    assert type(result) is error
    assert result.code == code
    if isinstance(result, Throttled):
        assert result.retry_at == NOW + timedelta(minutes=5)


def test_an_error_names_no_address() -> None:
    result, _ = outcome({"RCPT": "550 5.1.1 no such mailbox"})
    assert "m.arden" not in str(result)


@pytest.mark.parametrize("bad", [{"RCPT": "550 5.1.1 no"}, {"DATA": "554 no"}, {".": "554 no"}])
def test_a_refused_message_leaves_the_connection_to_the_next(bad: dict[str, str]) -> None:
    verb, said = next(iter(bad.items()))
    with Script([{**REPLIES, verb: [said, REPLIES[verb]]}]) as server:
        (_, first), (_, second) = sent(channel(server.port), [("a", mail()), ("b", mail())], grant)
    assert isinstance(first, Refused)
    assert isinstance(second, Receipt)
    assert server.connections == 1


def test_a_broken_connection_is_replaced_for_the_next_message() -> None:
    with Script([{**REPLIES, ".": CUT}, REPLIES]) as server:
        (_, first), (_, second) = sent(channel(server.port), [("a", mail()), ("b", mail())], grant)
    assert isinstance(first, Uncertain)
    assert isinstance(second, Receipt)
    assert server.connections == 2


def test_the_intent_is_asked_after_the_go_ahead_and_before_the_body() -> None:
    asked: list[tuple[list[str], list[str]]] = []
    with Script([REPLIES]) as server:

        def intend(keys: Sequence[str]) -> set[str]:
            asked.append((list(keys), list(server.heard)))
            return set(keys)

        sent(channel(server.port), [("a", mail())], intend)
    assert asked == [(["a"], ["EHLO", "MAIL", "RCPT", "DATA"])]


def test_a_refused_recipient_asks_for_no_intent() -> None:
    def intend(keys: Sequence[str]) -> set[str]:
        pytest.fail("nothing could have taken effect")

    with Script([{**REPLIES, "RCPT": "550 no"}]) as server:
        sent(channel(server.port), [("a", mail())], intend)


def test_a_message_whose_intent_is_not_granted_never_sees_its_dot() -> None:
    with Script([REPLIES]) as server:
        run = [("stopped", mail(number=1)), ("granted", mail(number=2))]
        results = sent(channel(server.port), run, lambda keys: {"granted"} & set(keys))
    assert results == [("stopped", None), ("granted", Receipt(remote_id="2@example.org"))]
    assert server.connections == 2
    assert len(server.bodies) == 1
    assert server.heard.count(".") == 1
    assert "no dot" in server.heard


def test_a_host_that_cannot_be_reached_is_asked_once_for_a_whole_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ((key, result),) = sent(channel(port), [("a", mail()), ("b", mail())])  # nothing is tried for the second
    assert key == "a"
    assert isinstance(result, Unreachable)


def test_a_greeting_that_refuses_is_unreachable() -> None:
    with Script([REPLIES], greeting="554 go away") as server, pytest.raises(Unreachable, match="go away"):
        channel(server.port).send(mail(), "k")


@pytest.mark.parametrize("to", ["a@b\r\nRCPT TO:<c@d>", "a b@example.org", "<a@example.org>", "a", "ä@example.org"])
def test_an_address_that_could_end_its_command_is_refused(to: str) -> None:
    with Script([REPLIES]) as server, pytest.raises(Refused):
        channel(server.port).send(mail(to), "k")
    assert "MAIL" not in server.heard


def test_lines_that_begin_with_a_dot_are_doubled_on_the_wire() -> None:
    with Script([REPLIES]) as server:
        channel(server.port).send(mail(body=b".\r\n.x\r\nlast line"), "k")
    assert server.bodies[0].endswith(b"\r\n\r\n..\r\n..x\r\nlast line\r\n")


# -- settings, request, doctor ------------------------------------------------------------------------


def test_plain_text_is_for_this_machine_alone() -> None:
    with pytest.raises(ValidationError, match="localhost"):
        SmtpSettings(host="mail.example.org", tls="none")


@pytest.mark.parametrize("bad", [{"rate": "fast"}, {"rate": "0/s"}, {"username": "x"}, {"shedule": 1}])
def test_settings_that_make_no_sense_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SmtpSettings(host="mail.example.org", **bad)


def test_the_password_shows_nowhere() -> None:
    settings = SmtpSettings(host="mail.example.org", username="letter", password=PASSWORD)
    made = Smtp("mail", settings, folder=Path(), now=lambda: NOW)
    shown = f"{settings!r} {settings} {made!r} {vars(made)} {made.request(mail(), 'k')} {settings.model_dump_json()}"
    assert PASSWORD not in shown


def test_the_request_is_the_envelope_and_the_bytes() -> None:
    request = channel(2525).request(mail(), "k")
    assert request.url == "smtp://127.0.0.1:2525"
    assert request.headers == {"MAIL FROM": "<letter@example.org>", "RCPT TO": "<m.arden@example.org>"}
    assert request.body == mail().data
    assert request.suffix == ".eml"


def test_nothing_can_be_known_after_a_crash() -> None:
    with pytest.raises(Uncertain):
        channel(25).reconcile(mail(), "k", NOW)


def test_doctor_says_what_to_do_where_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (finding,) = channel(port).doctor()
    assert not finding.ok
    assert finding.advice


def test_doctor_is_content_with_a_plain_server_on_this_machine() -> None:
    with real_server(Sink()) as port:
        assert all(finding.ok for finding in channel(port).doctor())


@pytest.mark.parametrize(("host", "local"), [("localhost", True), ("127.0.0.1", True), ("mail.example.org", False)])
def test_only_loopback_counts_as_local(host: str, local: bool) -> None:
    assert Smtp("mail", SmtpSettings(host=host), folder=Path(), now=lambda: NOW).local is local


# -- our own signature ----------------------------------------------------------------------------


def test_a_key_signs_what_leaves_and_the_doctor_sees_it(tmp_path: Path) -> None:
    folder = tmp_path / "letter"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "mail.pem").write_bytes(_key())
    channel = Smtp(
        "mail",
        SmtpSettings(host="localhost", tls="none", dkim_selector="l2026", dkim_key_file="keys/mail.pem"),
        folder=folder,
        now=lambda: datetime(2026, 11, 23, tzinfo=UTC),
    )
    sent = channel.request(_signable(), "k").body
    assert sent.startswith(b"DKIM-Signature: ")
    assert sent == channel.request(_signable(), "k").body
    assert all(finding.ok for finding in channel.examine(sent))
    assert not all(finding.ok for finding in channel.examine(sent.replace(b"Text", b"Next")))


def test_nothing_leaves_unsigned_when_the_key_is_gone(tmp_path: Path) -> None:
    settings = SmtpSettings(host="localhost", tls="none", dkim_selector="l2026", dkim_key_file="gone.pem")
    channel = Smtp("mail", settings, folder=tmp_path, now=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    with pytest.raises(Unreachable, match=r"gone\.pem"):
        channel.request(_signable(), "k")
    assert not all(finding.ok for finding in channel.examine(_signable().data))


def test_a_selector_goes_with_a_key() -> None:
    with pytest.raises(ValueError, match="go together"):
        SmtpSettings(host="localhost", tls="none", dkim_selector="l2026")


def _key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _signable() -> Message:
    data = (
        b"From: The Letter <news@letter.example>\r\nTo: m.arden@example.org\r\nList-Unsubscribe: <https://letter.example/u/x>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nText\r\n"
    )
    return Message(sender="news@letter.example", recipient="m.arden@example.org", data=data, message_id="a@letter.example")
