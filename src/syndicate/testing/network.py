"""What every fake network is made of: an ASGI server on loopback, a list of what it has seen, and faults on demand."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

Fault = Literal["before_accept", "after_accept", "half_body", "429", "500"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the client sends
        """The body as JSON; ``None`` where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the network says to it."""

    status: int = 200
    data: object = field(default_factory=dict)  # sent as JSON; bytes as they are, as plain text
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Witnessed:
    """One post that the network has accepted."""

    id: str
    text: str
    body: bytes  # of the request, as it came
    at: datetime
    data: Mapping[str, Any]  # as the network keeps it


class _Transport(H11Protocol):
    """HTTP by uvicorn, with a way to cut the connection under an answer."""

    open: ClassVar[dict[tuple[str, int], asyncio.Transport]] = {}

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's signature
        super().connection_made(transport)
        self._peer = transport.get_extra_info("peername")[:2]
        self.open[self._peer] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.open.pop(self._peer, None)


class Network:
    """A network on loopback. ``with FakeX() as network: network.url``; ``posts`` is what it has accepted, in order."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Not yet listening; ``now`` moves the network's own clock."""
        self.now = now
        self.posts: list[Witnessed] = []
        self.deleted: list[str] = []  # ids, in order
        self.asked: list[Asked] = []  # every request, accepted or not
        self.pictures: dict[str, Asked] = {}  # uploads, by the id or hash under which a post names them
        self.refuses_pictures = False  # an upload is answered with a refusal
        self.picture_looks = 0  # how often the network is still at work on an upload when it is asked about it
        self.reset = timedelta(minutes=10)  # from now, what a 429 names
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            http=_Transport,
            ws="none",
            lifespan="off",
            log_level="critical",
            log_config=None,
            date_header=False,  # the network's own clock tells the time
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Listen."""
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening: the address refuses connections from now on."""
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    @property
    def standing(self) -> list[Witnessed]:
        """The posts that have not been deleted, in order."""
        return [post for post in self.posts if post.id not in self.deleted]

    def erase(self, number: str) -> bool:
        """Delete a post; ``False`` where there is none of that id."""
        known = any(post.id == number for post in self.standing)
        self.deleted += [number] if known else []
        return known

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Let the next ``times`` posts fail: not taken, taken without an answer, or cut half-way through the answer."""
        self._faults.extend([fault] * times)

    # -- what each network says -----------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        """What the network does and says; called by one request at a time."""
        raise NotImplementedError

    def is_post(self, asked: Asked) -> bool:
        """Whether the request would make a post: only these meet the faults."""
        raise NotImplementedError

    def throttled(self) -> Answer:
        """The network's own 429."""
        raise NotImplementedError

    def broken(self) -> Answer:
        """The network's own 500; nothing was accepted."""
        return Answer(status=500, data={"error": "Internal Server Error"})

    def witness(self, *, id: str, text: str, asked: Asked, data: Mapping[str, Any]) -> Witnessed:  # noqa: A002 - the networks' word
        """Remember an accepted post."""
        seen = Witnessed(id=id, text=text, body=asked.body, at=self.now(), data=data)
        self.posts.append(seen)
        return seen

    # -- HTTP -----------------------------------------------------------------------------------

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's signature
        asked = await _read(scope, receive)
        with self._lock:
            self.asked.append(asked)
            fault = self._faults.popleft() if self._faults and self.is_post(asked) else None
            if fault == "before_accept":
                answer = None
            elif fault == "429":
                answer = self.throttled()
            elif fault == "500":
                answer = self.broken()
            else:
                answer = self.answer(asked)
        if answer is None or fault == "after_accept":
            await _cut(scope)
            return
        await _say(scope, send, answer, now=self.now(), half=fault == "half_body")


async def _read(scope: Mapping[str, Any], receive: Any) -> Asked:  # noqa: ANN401 - ASGI's signature
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return Asked(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def _say(scope: Mapping[str, Any], send: Any, answer: Answer, *, now: datetime, half: bool) -> None:  # noqa: ANN401 - ASGI's
    plain = isinstance(answer.data, bytes)
    body = answer.data if isinstance(answer.data, bytes) else json.dumps(answer.data, ensure_ascii=False).encode()
    headers = {
        "content-type": "text/plain; charset=utf-8" if plain else "application/json; charset=utf-8",
        "content-length": str(len(body)),
        "date": now.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"),
        **answer.headers,
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": body[: len(body) // 2] if half else body, "more_body": half})
    if half:
        await asyncio.sleep(0.02)
        await _cut(scope)


async def _cut(scope: Mapping[str, Any]) -> None:
    transport = _Transport.open.get(tuple(scope["client"]))
    if transport is not None:
        transport.abort()
    await asyncio.sleep(0.01)  # uvicorn notices before it would answer for us
