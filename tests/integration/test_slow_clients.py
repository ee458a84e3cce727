"""Clients that keep the server waiting: cut in good time, never so many that publishing has no files left, and told nowhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from atdesk import desk
from served import copy_starter, opened, served
from syndicate.web import server
from syndicate.web.server import Serving

SIGN_IN = b"POST /desk/sign-in HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Length: 90\r\n\r\nname="
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
    serving: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
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
    assert not [one for one in caplog.records if one.exc_info]


def test_clients_beyond_a_number_are_turned_away(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_CLIENTS", 3)
    with ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(client(serving))
        assert is_cut(open_ones.enter_context(client(serving)))
    assert httpx.get(serving.url, trust_env=False).status_code == 200


def test_an_editor_who_leaves_in_the_middle_of_a_form_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(copy_starter(tmp_path)) as app, desk(app) as serving:
        with client(serving) as leaving:
            leaving.sendall(SIGN_IN % (serving.url.removeprefix("http://").encode(), serving.url.encode()))
            leaving.shutdown(socket.SHUT_WR)
            while not is_cut(leaving):
                pass
        assert httpx.get(f"{serving.url}/desk/sign-in", trust_env=False).status_code == 200
    assert not [one for one in caplog.records if one.exc_info]
