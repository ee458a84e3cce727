"""Incoming webhooks of Slack and Discord: plain words, nobody called, no formatting that nobody meant."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar, Final

from syndicate.channels.http import failed
from syndicate.channels.webhook import Webhook
from syndicate.errors import DeliveryError, Refused
from syndicate.model import Amendment, Finding, Limits, Post, Receipt, Request, Way
from syndicate.render import chat

_EMBED_TITLE: Final = 256
_EMBED_TEXT: Final = 4096
_GONE: Final = "404"


class Slack(Webhook):
    """A channel in Slack. It answers "ok" and no id: what was posted can be neither changed nor deleted from here."""

    network: ClassVar[str] = "slack"
    limits: ClassVar[Limits] = Limits(counting="slack", text=40_000, checked="2026-11-22, docs.slack.dev, chat.postMessage")

    def body(self, post: Post, key: str) -> bytes:  # noqa: ARG002 - Slack knows no key
        """The text, its markup turned off."""
        return _json({"text": chat.slack(post.text), "mrkdwn": False, "unfurl_links": True, "unfurl_media": False})


class Discord(Webhook):
    """A channel in Discord. A post can be changed and deleted by its id."""

    network: ClassVar[str] = "discord"
    limits: ClassVar[Limits] = Limits(
        counting="discord", text=2000, cards=True, edits=True, deletes=True, checked="2026-11-22, docs.discord.com, Webhook"
    )

    def body(self, post: Post, key: str) -> bytes:  # noqa: ARG002 - a webhook of Discord's takes no nonce
        """The text and its card. Nobody is called, whatever the text says."""
        made: dict[str, Any] = {"content": chat.discord(post.text), "allowed_mentions": {"parse": []}}
        if post.card:
            embed = {"title": post.card.title[:_EMBED_TITLE], "description": post.card.description[:_EMBED_TEXT]}
            made["embeds"] = [{**embed, "url": post.card.uri}]
        return _json(made)

    def send(self, parcel: Any, key: str) -> Receipt:  # noqa: ANN401 - as every channel's; ``request`` looks at it
        """Post once, and wait for the post's own id: without ``wait`` Discord does not tell of errors either."""
        mark = "&" if "?" in self._path else "?"
        content = self.request(parcel, key).body
        answer = self._answered("POST", f"{self._path}{mark}wait=true", _HEADERS, content, json=True)
        number = answer.data.get("id") if isinstance(answer.data, dict) else None
        return Receipt(remote_id=str(number or key))

    def way(self, posted: datetime, now: datetime) -> Way:  # noqa: ARG002 - at any time
        """In place."""
        return "edit"

    def amend_request(self, amendment: Amendment, key: str) -> Request:
        """The request that changes a post."""
        url = f"{self._host}/…/messages/{amendment.remote_id}"
        return Request(method="PATCH", url=url, headers=_HEADERS, body=self.body(amendment.post, key))

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Change one post. The same change again leaves it as it is."""
        content = self.amend_request(amendment, key).body
        self._answered("PATCH", self._message(amendment.remote_id), _HEADERS, content)
        return Receipt(remote_id=amendment.remote_id)

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - it can be made again at any time
        """Make the same change again."""
        return self.amend(amendment, key)

    def delete_request(self, remote_id: str) -> Request:
        """The request that deletes a post."""
        return Request(method="DELETE", url=f"{self._host}/…/messages/{remote_id}", headers={}, body=b"")

    def delete(self, remote_id: str) -> Receipt:
        """Delete one post; one that is gone already is as good."""
        try:
            self._answered("DELETE", self._message(remote_id), {}, None)
        except Refused as error:
            if error.code != _GONE:
                raise
        return Receipt(remote_id=remote_id)

    def doctor(self) -> list[Finding]:
        """Whether Discord knows the address."""
        try:
            answer = self._answered("GET", self._path, {}, None, effect=False, json=True)
        except DeliveryError as error:
            return [failed("the address", error, "Make a new webhook in the channel's settings and set `url`.")]
        told = answer.data if isinstance(answer.data, dict) else {}
        return [Finding(ok=True, what=f"Discord knows the webhook as {told.get('name') or 'unnamed'}"), *super().doctor()]

    def _message(self, remote_id: str) -> str:
        path, _, query = self._path.partition("?")
        return f"{path}/messages/{remote_id}" + (f"?{query}" if query else "")


_HEADERS: Final = {"Content-Type": "application/json"}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
