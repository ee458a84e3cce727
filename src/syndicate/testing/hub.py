"""A strict WebSub hub on loopback: it takes what public hubs take, and fetches a feed as soon as it is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from syndicate.testing.network import Answer, Asked, Network


class FakeHub(Network):
    """``with FakeHub(fetch=…) as hub: hub.url``; ``hub.posts`` are the pings it took, with what the feed was then."""

    path: ClassVar[str] = "/hub"

    def __init__(
        self, fetch: Callable[[str], bytes] = lambda _: b"", *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """``fetch`` gets the bytes at a feed's address, as anybody would."""
        super().__init__(now=now)
        self._fetch = fetch

    @property
    def address(self) -> str:
        """What a feed's ``hub`` names: with a query, which some hubs have."""
        return f"{self.url}{self.path}?tier=free"

    @property
    def topics(self) -> list[str]:
        """The addresses it was told of, in order."""
        return [post.text for post in self.posts]

    def is_post(self, asked: Asked) -> bool:
        """Every request but a look round."""
        return asked.method == "POST"

    def answer(self, asked: Asked) -> Answer:
        """204 for a form with exactly ``hub.mode=publish`` and one ``hub.url``; else 400 in plain words."""
        form = parse_qsl(asked.body.decode("ascii", "replace"), keep_blank_values=True, strict_parsing=True)
        fields = dict(form)
        topic = fields.get("hub.url", "")
        parts = urlsplit(topic)
        sound = (
            asked.method == "POST"
            and asked.path == self.path
            and asked.query == {"tier": "free"}
            and asked.headers.get("content-type") == "application/x-www-form-urlencoded"
            and len(form) == len(fields) == 2  # noqa: PLR2004 - mode and address
            and fields.get("hub.mode") == "publish"
            and parts.scheme in {"http", "https"}
            and bool(parts.netloc)
            and not parts.fragment
        )
        if not sound:
            return Answer(status=400, data=b"hub.mode and hub.url, please")
        self.witness(id=str(len(self.posts)), text=topic, asked=asked, data={"feed": self._fetch(topic)})
        return Answer(status=202, data=b"Thank you.")

    def throttled(self) -> Answer:
        """429 with the time of the next welcome."""
        return Answer(status=429, data=b"slow down", headers={"retry-after": str(int(self.reset.total_seconds()))})

    def broken(self) -> Answer:
        """A page of the proxy before it."""
        return Answer(status=503, data=b"<html>no</html>")
