"""The web server as a thread beside the publisher: starts, tells where it listens, stops cleanly. Prints nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from syndicate.errors import ConfigError, Fault
from syndicate.web import reader
from syndicate.web.desk import frame
from syndicate.web.desk.address import address
from syndicate.web.desk.ways import ROOT

if TYPE_CHECKING:
    import asyncio

    from starlette.types import ASGIApp, Receive, Scope, Send

    from syndicate.app import App

_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5
_ARRIVAL_SECONDS: Final = 30.0  # for a whole request: our longest are a form and a mail service's report
_MOST_CLIENTS: Final = 400  # of one server: pages and desk together leave files for the publishing beside them


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """A running web server."""

    host: str
    port: int  # the real one, also where 0 was asked for
    server: uvicorn.Server
    thread: threading.Thread
    first_link: str = ""  # of a desk at which nobody can sign in yet
    close: Callable[[], None] = lambda: None  # what goes on beside the answers ends with them

    @property
    def url(self) -> str:
        """Where it can be reached from this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Finish the answers that are under way, at most for a few seconds. Stopping twice is harmless."""
        self.server.should_exit = True
        self.thread.join(_STOP_SECONDS * 2)
        self.close()


def serve(app: App, host: str, port: int, *, with_desk: bool = False) -> Serving:
    """Serve pages and feeds from a thread; returns when the first request can be answered.

    ``with_desk``: the settings give the desk the same address, so it is served here too.

    Raises
    ------
    ConfigError
        The address cannot be had: another program listens there, or it is not ours.
    """
    listener = _listen(host, port, "web")
    pages = reader.create(app)
    if not with_desk:
        return _served(pages, listener, host, section="web", behind=False)  # `[web] trusted_proxies` says whom to believe
    here = address(app.settings.desk.url, host, listener.getsockname()[1])
    desk = frame.create(app, here)
    both = _Both(desk, pages)
    return replace(
        _served(both, listener, host, section="web", behind=here.secure),
        first_link=frame.first_link(app, here),
        close=desk.state.desk.close,
    )


def serve_desk(app: App, host: str, port: int) -> Serving:
    """Serve the desk, and nothing else, from a thread of its own.

    Raises
    ------
    ConfigError
        As for ``serve``.
    """
    listener = _listen(host, port, "desk")
    here = address(app.settings.desk.url, host, listener.getsockname()[1])
    desk = frame.create(app, here)
    serving = _served(desk, listener, host, section="desk", behind=here.secure)
    return replace(serving, first_link=frame.first_link(app, here), close=desk.state.desk.close)


class _Both:
    """The desk below its path, the readers' pages everywhere else."""

    def __init__(self, desk: ASGIApp, pages: ASGIApp) -> None:
        self._desk, self._pages = desk, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        await (self._desk if path == ROOT or path.startswith(f"{ROOT}/") else self._pages)(scope, receive, send)


class _Client(H11Protocol):
    """A connection that is cut where its request does not arrive in time, or there are too many: uvicorn waits for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > _MOST_CLIENTS:
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._arrived()

    def _watch(self) -> None:
        arriving = getattr(self.cycle, "more_body", True) or self.cycle.response_complete  # no cycle: not even the first line
        if not arriving:
            self._arrived()
        elif self._late is None:
            self._late = self.loop.call_later(_ARRIVAL_SECONDS, self.transport.abort)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _served(web: ASGIApp, listener: socket.socket, host: str, *, section: str, behind: bool = True) -> Serving:
    config = uvicorn.Config(
        web,
        http=_Client,
        lifespan="off",
        log_config=None,
        log_level="warning",  # its lines about each request hold reader links
        access_log=False,
        server_header=False,
        proxy_headers=behind,  # who asks, as the proxy on this machine says; where there is none, nobody may say so
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=section, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    give_up = time.monotonic() + _START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < give_up:
        time.sleep(0.01)
    if not server.started:
        listener.close()
        raise ConfigError(_fault(host, port, "the web server did not start", section))
    return Serving(host=host, port=port, server=server, thread=thread)


def _listen(host: str, port: int, section: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(_fault(host, port, f"{host} is not an address of this machine", section)) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_fault(host, port, f"{host}:{port} cannot be had: {error.strerror or error}", section)) from error
    return listener


def _fault(host: str, port: int, what: str, section: str) -> Fault:
    right = f"stop the program that listens there, or choose another port under [{section}]"
    right += f", or say --port {port + 1 if port else 8001}" if section == "web" else ""
    if host not in {"127.0.0.1", "localhost", "::1"}:
        right += "; 127.0.0.1 always works"
    return Fault(file="config/syndicate.toml", rule=section, what=what, right=right)
