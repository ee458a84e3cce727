"""Who is let through: host, origin, session, token and roles are looked at before a page or an act is.

Every answer of the desk passes here and gets its headers here.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from syndicate.errors import RenderError, StoreError, SyndicateError
from syndicate.log import logger
from syndicate.web.desk.address import HEADERS, token_of_forms
from syndicate.web.desk.visit import Desk, Visit
from syndicate.web.desk.ways import ROOT, Way, may

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

_FORM_BYTES: Final = 262_144  # a text for each of many channels
_NOBODY_ELSES: Final = "There is nothing of the desk at this address."


def route(desk: Desk, way: Way) -> Route:
    """One way as Starlette takes it."""
    return Route(f"{ROOT}{way.path}", _guarded(desk, way), methods=[way.method])


def _guarded(desk: Desk, way: Way) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not desk.address.ours(request):
            return plain(f"The desk answers at {desk.address.url}{ROOT} alone.", HTTPStatus.MISDIRECTED_REQUEST)
        form: Mapping[str, Sequence[str]] = {}
        if way.method == "POST":
            if not desk.address.from_here(request):
                return plain("This form was not sent by the desk; nothing was done.", HTTPStatus.FORBIDDEN)
            read = await _form(request)
            if read is None:
                return plain("The form is too long or broken; nothing was done.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            form = read
        response = await run_in_threadpool(_answer, desk, way, request, form)
        return headed(response)

    return answer


def _answer(desk: Desk, way: Way, request: Request, form: Mapping[str, Sequence[str]]) -> Response:
    try:
        return _let_in(desk, way, request, form)
    except StoreError as error:
        return _failed(desk, request, error, HTTPStatus.SERVICE_UNAVAILABLE)
    except RenderError as error:
        return _failed(desk, request, error, HTTPStatus.INTERNAL_SERVER_ERROR)
    except Exception as error:  # noqa: BLE001 - a bug in one page is told as one; the log has where it is
        logger().exception("desk_page_failed", error=type(error).__name__)
        return _failed(desk, request, error, HTTPStatus.INTERNAL_SERVER_ERROR)


def _let_in(desk: Desk, way: Way, request: Request, form: Mapping[str, Sequence[str]]) -> Response:
    now = desk.app.now()
    token = request.cookies.get(desk.address.cookie, "")
    signed = desk.signins.who(token, now, stirs=not way.by_itself) if token else None
    person = signed.person if signed else None
    visit = Visit(desk=desk, request=request, now=now, person=person, token=token if signed else "", form=form)
    if way.open:
        return way.endpoint(visit)
    if person is None:
        return _to_the_door(request, way)
    if way.method == "POST" and not hmac.compare_digest(visit.said("csrf").encode(), token_of_forms(token).encode()):
        words = "The page was made for another sign-in. Nothing was done; load it again and repeat."
        return visit.notice("This form is out of date", words, status=HTTPStatus.FORBIDDEN, way=ROOT)
    if not may(person.roles, way.roles):
        words = f"It needs the role of {' or '.join(way.roles)}; you are {' and '.join(person.roles)}. Nothing was done."
        return visit.notice("This is not yours to do", words, status=HTTPStatus.FORBIDDEN, way=ROOT)
    try:
        return way.endpoint(visit)
    except (StoreError, RenderError):
        raise
    except SyndicateError as error:
        words = str(error)
        return visit.notice("Nothing was done", f"{words[:1].upper()}{words[1:]}.", status=HTTPStatus.CONFLICT, way=ROOT)


def _to_the_door(request: Request, way: Way) -> Response:
    """To the sign-in, and back to where somebody wanted to look; an act is not repeated."""
    asked = request.url.path.removeprefix(ROOT)
    onward = f"?{urlencode({'next': asked})}" if way.method == "GET" and asked not in {"", "/"} else ""
    return RedirectResponse(f"{ROOT}/sign-in{onward}", status_code=HTTPStatus.SEE_OTHER)


async def _form(request: Request) -> dict[str, list[str]] | None:
    """The fields of an ordinary form; ``None`` where it is too long or no form."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _FORM_BYTES:
            return None
    try:
        return parse_qs(data.decode("utf-8"), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        return None


def plain(words: str, status: int) -> Response:
    """A line without a page: what a stranger is told."""
    return headed(PlainTextResponse(f"{words}\n", status_code=status))


def nothing(_request: Request, _error: Exception) -> Response:
    """What stands at every other address."""
    return plain(_NOBODY_ELSES, HTTPStatus.NOT_FOUND)


def headed(response: Response) -> Response:
    """With the desk's headers; one that an answer sets itself stays."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _failed(desk: Desk, request: Request, error: Exception, status: int) -> Response:
    """A fault of ours, told in a page where one can still be made."""
    known = isinstance(error, SyndicateError)
    logger().error("desk_page_failed", status=int(status), error=str(error) if known else type(error).__name__)
    words = str(error) if isinstance(error, StoreError) else "The log says what it was. Publishing goes on without the desk."
    visit = Visit(desk=desk, request=request, now=desk.app.now(), person=None, token="")
    try:
        return visit.notice("Something is out of order here", words, status=status, way=ROOT)
    except SyndicateError:
        return PlainTextResponse(f"Something is out of order here. {words}\n", status_code=status)
