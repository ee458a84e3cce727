"""A webhook for anything: JSON, signed with HMAC-SHA256 over id, time and body (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from syndicate.channels.http import Answer
from syndicate.channels.webhook import Webhook, as_post
from syndicate.errors import Refused
from syndicate.model import Amendment, Finding, Limits, Parcel, Post, Receipt, Request, Way


class Signed(Webhook):
    """A receiver of signed events: ``post.created``, ``post.updated``, ``post.deleted``."""

    limits: ClassVar[Limits] = Limits(warning=True, cards=True, edits=True, deletes=True, checked="Standard Webhooks 1.0.0")

    def body(self, post: Post, key: str) -> bytes:
        """The post as an event."""
        return _event("post.created", post, key)

    def ask(self, method: str, path: str, content: bytes | None, key: str) -> Answer:
        """Ask once, signed now: ``webhook-id`` is the same in each attempt."""
        stamp = str(int(self._now().timestamp()))
        signed = b".".join((key.encode(), stamp.encode(), content or b""))
        signature = base64.b64encode(hmac.digest(self._settings.key(), signed, "sha256")).decode()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{signature}",
        }
        return self._answered(method, path, headers, content)

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:
        """The same event again, where the receiver drops a repetition; a refusal then proves that the first was not taken."""
        if not self._settings.drops_repeats:
            return super().reconcile(parcel, key, since)
        try:
            return self.send(parcel, key)
        except Refused:
            return None

    def way(self, posted: datetime, now: datetime) -> Way:  # noqa: ARG002 - at any time
        """The receiver is told of the change."""
        return "edit"

    def amend_request(self, amendment: Amendment, key: str) -> Request:  # noqa: ARG002 - the post's own id names it
        """The event that tells of the change."""
        body = _event("post.updated", amendment.post, amendment.remote_id)
        return Request(method="POST", url=f"{self._host}/…", headers={"Content-Type": "application/json"}, body=body)

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Tell of the change."""
        self.ask("POST", self._path, self.amend_request(amendment, key).body, key)
        return Receipt(remote_id=amendment.remote_id)

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:
        """As ``reconcile``."""
        if not self._settings.drops_repeats:
            return super().reconcile(as_post(amendment.post), key, since)
        try:
            return self.amend(amendment, key)
        except Refused:
            return None

    def delete_request(self, remote_id: str) -> Request:
        """The event that asks for the deletion."""
        body = _json({"type": "post.deleted", "data": {"id": remote_id}})
        return Request(method="POST", url=f"{self._host}/…", headers={"Content-Type": "application/json"}, body=body)

    def delete(self, remote_id: str) -> Receipt:
        """Ask for the deletion; the receiver may be asked more than once."""
        self.ask("POST", self._path, self.delete_request(remote_id).body, f"delete-{remote_id}")
        return Receipt(remote_id=remote_id)

    def doctor(self) -> list[Finding]:
        """How events are signed, and what becomes of a lost answer."""
        signing = Finding(ok=True, what=f"signs with a key of {len(self._settings.key())} bytes (Standard Webhooks, v1)")
        if self._settings.drops_repeats:
            return [signing, Finding(ok=True, what="a lost answer is followed by the same event with the same webhook-id")]
        return [signing, *super().doctor()]


def _event(kind: str, post: Post, key: str) -> bytes:
    card = post.card
    data: dict[str, Any] = {
        "id": key,
        "item": post.item,
        "text": post.text,
        "link": post.link,
        "lang": post.lang,
        "warning": post.warning,
        "labels": list(post.labels),
        "card": {"uri": card.uri, "title": card.title, "description": card.description} if card else None,
    }
    stamp = post.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return _json({"type": kind, "timestamp": stamp, "data": data})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
