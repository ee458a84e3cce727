"""The web server as a thread beside the publisher: starts, tells where it listens, stops cleanly. Prints nothing."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import uvicorn

from syndicate.errors import ConfigError, Fault
from syndicate.web import reader

if TYPE_CHECKING:
    from syndicate.app import App

_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """A running web server."""

    host: str
    port: int  # the real one, also where 0 was asked for
    server: uvicorn.Server
    thread: threading.Thread

    @property
    def url(self) -> str:
        """Where it can be reached from this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Finish the answers that are under way, at most for a few seconds. Stopping twice is harmless."""
        self.server.should_exit = True
        self.thread.join(_STOP_SECONDS * 2)


def serve(app: App, host: str, port: int) -> Serving:
    """Serve pages and feeds from a thread; returns when the first request can be answered.

    Raises
    ------
    ConfigError
        The address cannot be had: another program listens there, or it is not ours.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        reader.create(app),
        lifespan="off",
        log_config=None,
        log_level="warning",  # its lines about each request hold reader links
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web", daemon=True)
    thread.start()
    give_up = time.monotonic() + _START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < give_up:
        time.sleep(0.01)
    if not server.started:
        listener.close()
        raise ConfigError(_fault(host, port, "the web server did not start"))
    return Serving(host=host, port=listener.getsockname()[1], server=server, thread=thread)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(_fault(host, port, f"{host} is not an address of this machine")) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_fault(host, port, f"{host}:{port} cannot be had: {error.strerror or error}")) from error
    return listener


def _fault(host: str, port: int, what: str) -> Fault:
    right = f"stop the program that listens there, choose another port under [web], or say --port {port + 1 if port else 8001}"
    if host not in {"127.0.0.1", "localhost", "::1"}:
        right += "; 127.0.0.1 always works"
    return Fault(file="config/syndicate.toml", rule="web", what=what, right=right)
