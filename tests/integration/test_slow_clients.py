"""Clients that keep the server waiting: cut in good time, never so many that publishing has no files left, and told nowhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from served import copy_starter, opened, served
from syndicate.web import server
from syndicate.web.server import Serving

FORM = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 90\r\n\r\na="


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    with opened(copy_starter(tmp_path)) as app, served(app) as found:
        yield found


def client(serving: Serving) -> socket.socket:
    return socket.create_connection((serving.host, serving.port), timeout=20)


def is_cut(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_request_that_does_not_arrive_is_cut_and_a_whole_one_is_answered(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "_ARRIVAL_SECONDS", 0.3)
    for begun in (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-", FORM):
        with client(serving) as slow:
            slow.sendall(begun)
            assert is_cut(slow)
    with client(serving) as again:
        again.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert again.recv(15) == b"HTTP/1.1 200 OK"
        again.sendall(b"GET /healthz HTTP/1.1\r\nHo")
        while not is_cut(again):
            pass
    assert httpx.get(serving.url, trust_env=False).status_code == 200
    assert "Traceback" not in "".join(capfd.readouterr())


def test_clients_beyond_a_number_are_turned_away(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_CLIENTS", 3)
    with ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(client(serving))
        assert is_cut(open_ones.enter_context(client(serving)))
    assert httpx.get(serving.url, trust_env=False).status_code == 200
