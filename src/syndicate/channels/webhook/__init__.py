"""A webhook: each post to one address, as Slack or Discord want it, or signed by the Standard Webhooks rules for anything else.

Slack and Discord know no key, and nothing can be read back: after a lost answer a person decides. A signed receiver
that says that it drops a repeated ``webhook-id`` gets the same request again.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from syndicate.channels.http import Answer, Line, is_loopback
from syndicate.channels.posting import PostingSettings
from syndicate.errors import Refused, Uncertain
from syndicate.model import Finding, Limits, Parcel, Post, Receipt, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SHORTEST_KEY = 24  # bytes (Standard Webhooks, "Signature scheme")


class WebhookSettings(PostingSettings):
    """[channels.NAME] with kind = "webhook"."""

    kind: Literal["webhook"] = "webhook"
    url: SecretStr  # whoever knows the address can post there: from the environment
    form: Literal["json", "slack", "discord"] = "json"
    secret: SecretStr = SecretStr("")  # "whsec_" and the key in base64; needed for "json"
    drops_repeats: bool = False  # "json": the receiver takes a webhook-id once and answers a repeated one with success
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0  # seconds

    @field_validator("url")
    @classmethod
    def _address(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith("https://") and not is_loopback(url.get_secret_value()):
            msg = 'the address begins with "https://"'
            raise ValueError(msg)
        return url

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.form == "json" and len(self.key()) < _SHORTEST_KEY:
            msg = 'form = "json" needs `secret`: "whsec_" and at least 24 random bytes in base64'
            raise ValueError(msg)
        return self

    def key(self) -> bytes:
        """The bytes that sign; b"" where ``secret`` holds none."""
        try:
            return base64.b64decode(self.secret.get_secret_value().removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return b""


class Webhook:
    """One address. What it is like is a class of its own; this one picks it."""

    kind: ClassVar[str] = "webhook"
    carries: ClassVar[str] = "post"
    network: ClassVar[str] = "webhook"
    limits: ClassVar[Limits] = Limits()
    Settings: ClassVar[type[WebhookSettings]] = WebhookSettings

    def __new__(cls, name: str, settings: WebhookSettings, *, folder: Path, now: Callable[[], datetime]) -> Self:  # noqa: ARG004 - as ``__init__``
        """The class of what the address is like."""
        from syndicate.channels.webhook.chats import Discord, Slack
        from syndicate.channels.webhook.signed import Signed

        forms: dict[str, type[Webhook]] = {"json": Signed, "slack": Slack, "discord": Discord}
        made: Self = object.__new__(forms[settings.form])  # type: ignore[assignment]  # each is a Webhook
        return made

    def __init__(self, name: str, settings: WebhookSettings, *, folder: Path, now: Callable[[], datetime]) -> None:  # noqa: ARG002 - every channel is built alike
        """Connect to nothing yet."""
        self.name = name
        self.posting: PostingSettings = settings
        self._settings = settings
        self._now = now
        parts = urlsplit(settings.url.get_secret_value())
        self._host = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.local = is_loopback(self._host)
        self._line = Line(
            url=self._host, now=now, timeout=settings.timeout, secrets=(self._path, settings.secret.get_secret_value())
        )

    def body(self, post: Post, key: str) -> bytes:
        """What the address is sent for one post."""
        raise NotImplementedError

    def request(self, parcel: Parcel, key: str) -> Request:
        """The body as it is sent, without the path of the address, which is a secret, and a signature, which tells the time."""
        headers = {"Content-Type": "application/json"}
        return Request(method="POST", url=f"{self._host}/…", headers=headers, body=self.body(as_post(parcel), key))

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Post once."""
        self.ask("POST", self._path, self.body(as_post(parcel), key), key)
        return Receipt(remote_id=key)

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - there is nothing to ask
        """Nothing can be known."""
        msg = "A webhook cannot be asked what it took."
        raise Uncertain(msg, code="unknowable", advice="Look there, then `syndicate deliveries settle`.")

    def ask(self, method: str, path: str, content: bytes | None, key: str) -> Answer:  # noqa: ARG002 - who signs needs the key
        """Ask once, with effect; the answer need not be JSON."""
        return self._answered(method, path, {"Content-Type": "application/json"}, content)

    def _answered(self, method: str, path: str, headers: dict[str, str], content: bytes | None, **more: Any) -> Answer:  # noqa: ANN401 - as Line.ask
        try:
            return self._line.ask(method, path, headers=headers, content=content, **{"effect": True, "json": False, **more})
        except Refused as error:
            advice = "Make a new address there and set `url` in the environment." if error.code in {"401", "403", "404"} else ""
            raise Refused(str(error), code=error.code, advice=error.advice or advice) from error

    def doctor(self) -> list[Finding]:
        """What is known without sending anything."""
        what = f"posts to {urlsplit(self._host).hostname}; whether it takes them shows with the first post"
        return [Finding(ok=True, what=what, advice="A lost answer waits for a person: nothing can be read back.")]

    def close(self) -> None:
        """Nothing is kept open."""


def as_post(parcel: Parcel) -> Post:
    """The parcel, which is a post."""
    if not isinstance(parcel, Post):
        msg = f"a webhook carries posts, not {type(parcel).__name__}"
        raise TypeError(msg)
    return parcel
