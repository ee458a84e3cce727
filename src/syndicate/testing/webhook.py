"""Strict receivers of webhooks: Slack and Discord with their limits, and one that checks Standard Webhooks' signatures."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from syndicate.testing.network import Answer, Asked, Network

SECRET: Final = "whsec_" + base64.b64encode(b"a sample key of thirty bytes..").decode()
PATHS: Final[Mapping[str, str]] = {
    "json": "/in/sample",
    "slack": "/services/TSAMPLE/BSAMPLE/samplesamplesample",
    "discord": "/api/webhooks/4200/sample-discord-token",
}
_SKEW: Final = timedelta(minutes=5)
_SLACK_KEYS: Final = frozenset({"text", "mrkdwn", "unfurl_links", "unfurl_media", "blocks"})
_DISCORD_KEYS: Final = frozenset({"content", "allowed_mentions", "embeds", "username", "avatar_url", "flags"})
_SLACK_TEXT, _DISCORD_TEXT, _DISCORD_EMBEDS = 40_000, 2000, 6000


class FakeWebhook(Network):
    """One address. ``form`` as in the channel's settings; ``drops_repeats``: a repeated id has no second effect."""

    def __init__(
        self, *, form: str = "json", drops_repeats: bool = True, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """A receiver of that form."""
        super().__init__(now=now)
        self.form = form
        self.drops_repeats = drops_repeats
        self.address = self.url + PATHS[form]
        self._known: dict[str, Answer] = {}  # by webhook-id

    def is_post(self, asked: Asked) -> bool:
        """A new post."""
        return (asked.method, asked.path) == ("POST", PATHS[self.form])

    def answer(self, asked: Asked) -> Answer:
        """As the receiver does."""
        if not asked.path.startswith(PATHS[self.form]):
            return Answer(status=404, data=b"no_service")
        if self.form == "slack":
            return self._slack(asked)
        return self._discord(asked) if self.form == "discord" else self._signed(asked)

    def throttled(self) -> Answer:
        """Slack and others name seconds; Discord the same in its body."""
        headers = {"retry-after": str(int(self.reset.total_seconds()))}
        return Answer(status=429, data={"message": "You are being rate limited.", "retry_after": 600.0}, headers=headers)

    def _slack(self, asked: Asked) -> Answer:
        body = asked.json
        text = body.get("text") if isinstance(body, dict) else None
        if not isinstance(text, str) or set(body) - _SLACK_KEYS:
            return Answer(status=400, data=b"invalid_payload")
        if not text.strip() or len(text) > _SLACK_TEXT or re.search(r"&(?!amp;|lt;|gt;)|[<>]", text):
            return Answer(status=400, data=b"no_text" if not text.strip() else b"invalid_payload")
        shown = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        self.witness(id=str(len(self.posts)), text=shown, asked=asked, data=body)
        return Answer(data=b"ok")

    def _discord(self, asked: Asked) -> Answer:
        number = asked.path.removeprefix(PATHS["discord"]).removeprefix("/messages/")
        if asked.method == "GET" and not number:
            return Answer(data={"id": "4200", "name": "Sample", "channel_id": "7"})
        if asked.method == "DELETE":
            return Answer(status=204, data=b"") if self.erase(number) else _unknown()
        fault = _discord_fault(asked.json)
        if fault:
            return Answer(status=400, data={"message": "Invalid Form Body", "code": 50035, "errors": fault})
        if asked.method == "PATCH":
            return Answer(data=asked.json) if any(post.id == number for post in self.standing) else _unknown()
        number = str(1_200_000_000_000_000_000 + len(self.posts))
        text = re.sub(r"<(https?://[^>]*)>", r"\1", re.sub(r"\\([\\*_~`|<>\[#+-])", r"\1", asked.json["content"]))
        self.witness(id=number, text=text, asked=asked, data=asked.json)
        if asked.query.get("wait") != "true":
            return Answer(status=204, data=b"")
        return Answer(data={"id": number, "channel_id": "7", "content": asked.json["content"]})

    def _signed(self, asked: Asked) -> Answer:
        number = asked.headers.get("webhook-id", "")
        if not _is_signed(asked, self.now()):
            return Answer(status=401, data={"message": "the signature does not hold"})
        if self.drops_repeats and number in self._known:
            return self._known[number]
        body = asked.json
        if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
            return Answer(status=400, data={"message": "no event"})
        if body.get("type") == "post.created":
            text = body["data"].get("text")
            if not isinstance(text, str) or not text.strip() or "timestamp" not in body:
                return Answer(status=422, data={"message": "no text"})
            self.witness(id=number, text=text, asked=asked, data=body)
        elif body.get("type") == "post.deleted":
            self.erase(str(body["data"].get("id")))
        self._known[number] = Answer(status=202, data={"taken": number})
        return self._known[number]


def _discord_fault(body: Any) -> dict[str, str]:  # noqa: ANN401 - whatever the client sends
    if not isinstance(body, dict) or set(body) - _DISCORD_KEYS or not isinstance(body.get("content"), str):
        return {"content": "BASE_TYPE_REQUIRED"}
    if len(body["content"].encode("utf-16-le")) // 2 > _DISCORD_TEXT or not body["content"].strip():
        return {"content": "BASE_TYPE_BAD_LENGTH"}
    if body.get("allowed_mentions") != {"parse": []} and re.search(r"@everyone|@here|<@", body["content"]):
        return {"allowed_mentions": "somebody would be called"}
    embeds = body.get("embeds", [])
    sizes = [len(embed.get("title", "")) + len(embed.get("description", "")) for embed in embeds]
    if len(embeds) > 10 or sum(sizes) > _DISCORD_EMBEDS:  # noqa: PLR2004 - Discord's own bound
        return {"embeds": "BASE_TYPE_BAD_LENGTH"}
    return {}


def _unknown() -> Answer:
    return Answer(status=404, data={"message": "Unknown Message", "code": 10008})


def _is_signed(asked: Asked, now: datetime) -> bool:
    """By the rules: base64 key, ``id.timestamp.body``, any of the signatures, a time within five minutes."""
    number, stamp = asked.headers.get("webhook-id", ""), asked.headers.get("webhook-timestamp", "")
    if not number or not stamp.isdigit() or abs(now - datetime.fromtimestamp(int(stamp), UTC)) > _SKEW:
        return False
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.digest(key, f"{number}.{stamp}.".encode() + asked.body, "sha256")).decode()
    return any(hmac.compare_digest(one, wanted) for one in asked.headers.get("webhook-signature", "").split())
