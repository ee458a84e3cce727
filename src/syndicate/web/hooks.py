"""Webhooks of mail services: what they report is taken once, and only from whoever has proved who they are.

An address without its topic or secret in the settings does not exist.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from syndicate.errors import Unreachable
from syndicate.log import logger
from syndicate.publish import returns
from syndicate.returns import amazon, providers, sns
from syndicate.store.returns import Returns
from syndicate.web.layout import publication

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from syndicate.app import App
    from syndicate.returns.reading import Report

_MOST: Final = 300_000  # bytes; an SNS message has 262,144 at most
_WINDOW: Final = timedelta(days=1)  # providers repeat for hours; what is older is no repetition
_CERTIFICATES: Final = amazon.Certificates()


def routes() -> list[Route]:
    """The three addresses."""
    told: Mapping[str, Callable[[App, Request, object], Response]] = {"ses": _ses, "mailgun": _mailgun, "postmark": _postmark}
    return [Route(f"/hooks/{name}", _endpoint(take), methods=["POST"]) for name, take in told.items()]


def _endpoint(take: Callable[[App, Request, object], Response]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > _MOST:
                raise HTTPException(413, "This is longer than any report.")
        return await run_in_threadpool(take, publication(request), request, _json(bytes(data)))

    return endpoint


def _json(data: bytes | str) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _ses(app: App, _: Request, body: object) -> Response:
    settings = app.settings.returns.ses
    if not settings.topic:
        raise HTTPException(404)
    host = sns.host(settings.topic)

    def certificate(path: str) -> bytes:
        return (
            (app.root / settings.certificate_file).read_bytes() if settings.certificate_file else _CERTIFICATES.get(host, path)
        )

    try:
        signed = sns.checked(body, settings.topic, certificate)
        if signed is None:
            raise _forged(source="ses")
        if signed.confirm:
            amazon.get(host, signed.confirm)
            logger().info("subscription_confirmed", source="ses")
            return PlainTextResponse("confirmed")
    except (Unreachable, OSError) as error:
        logger().error("hook_failed", source="ses", error=str(error))
        raise HTTPException(503, "Try again later.") from error
    report = providers.ses(_json(signed.message), app.token_keys)
    return _once(app, "ses", signed.id, signed.at, report)


def _mailgun(app: App, _: Request, body: object) -> Response:
    key = app.settings.returns.mailgun.signing_key.get_secret_value()
    if not key:
        raise HTTPException(404)
    if not isinstance(body, dict) or not providers.mailgun_signed(key.encode(), body.get("signature")):
        raise _forged(source="mailgun")
    event = providers.mailgun(body, app.token_keys)
    return _once(app, "mailgun", event.id, event.at, event.report)


def _postmark(app: App, request: Request, body: object) -> Response:
    settings = app.settings.returns.postmark
    password = settings.password.get_secret_value()
    if not password:
        raise HTTPException(404)
    wanted = base64.b64encode(f"{settings.username}:{password}".encode())
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic" or not hmac.compare_digest(wanted, told.strip().encode("latin-1", "replace")):
        raise _forged(source="postmark", status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="returns"'})
    event = providers.postmark(body, app.token_keys)
    return _once(app, "postmark", event.id, event.at, event.report)


def _once(app: App, source: str, name: str, at: datetime | None, report: Report) -> Response:
    """Take a report the first time; a repetition is answered as the first one was, and an old one refused."""
    now, shelf, source = app.now(), Returns(app.store), f"hook:{source}"
    if at is None or not name or abs(now - at) > _WINDOW:
        raise HTTPException(406, "This report is too old, or does not say when it was made.")
    if shelf.was_seen(source, name):
        return PlainTextResponse("known already")
    outcome = returns.take(app, report, now)
    if outcome.new:
        returns.follow_up(app, now)
    shelf.see(source, [name], now)
    return PlainTextResponse("taken" if outcome.known else "nothing of ours")


def _forged(source: str, status: int = HTTPStatus.FORBIDDEN, headers: Mapping[str, str] | None = None) -> HTTPException:
    logger().warning("hook_refused", source=source)
    return HTTPException(status, "This was not signed as the settings ask.", dict(headers or {}))
