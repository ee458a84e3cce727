"""The desk's door: signing in and out, and the link with which the first person begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response

from syndicate.errors import SyndicateError
from syndicate.store.people import SHORTEST
from syndicate.web.desk.address import network
from syndicate.web.desk.ways import EVERYBODY, ROOT, Way, act

if TYPE_CHECKING:
    from syndicate.store.people import Person
    from syndicate.web.desk.visit import Visit

FIRST_ROLES: Final = ("editor", "admin")  # verifiers and approvers are named by this person afterwards
_WRONG: Final = "Name and passphrase do not match."
_GONE: Final = "This link is not good any more"
_GONE_WORDS: Final = (
    "It works once and for 15 minutes, while nobody can sign in yet. `syndicate run` prints a new one when it starts; "
    "`syndicate people add NAME --role admin` works at any time."
)


def form(visit: Visit) -> Response:
    """The sign-in."""
    if visit.person is not None:
        return visit.go(_onward(visit.asked("next")))
    return _form(visit)


def sign_in(visit: Visit) -> Response:
    """Look at a name and a passphrase. Tries are counted before, so that nobody tries many at once."""
    name, passphrase = visit.said("name"), (visit.form.get("passphrase") or ("",))[-1]
    desk, near = visit.desk, network(visit.request)
    if not name or not passphrase:
        return _form(visit, name=name, wrong="Write your name and your passphrase.", status=HTTPStatus.UNPROCESSABLE_ENTITY)
    again = desk.signins.knock(name, near, visit.now)
    if again is not None:
        wait = f"Too many tries: the next one can be made in {_minutes(again, visit.now)}."
        return _form(visit, name=name, wrong=wait, status=HTTPStatus.TOO_MANY_REQUESTS)
    try:
        person = visit.app.people.known(name, passphrase, now=visit.now)
    except SyndicateError:
        left = desk.signins.left(name, near)
        more = f"{left} {'try is' if left == 1 else 'tries are'} left; then this name waits 15 minutes."
        return _form(visit, name=name, wrong=_WRONG, more=more, status=HTTPStatus.UNAUTHORIZED)
    desk.signins.forgive(name, near)
    return _signed(visit, person, _onward(visit.said("next")))


def sign_out(visit: Visit) -> Response:
    """End the session here and in the ledger of sessions."""
    visit.desk.signins.end(visit.token, visit.now, who=visit.who)
    answer = visit.go("/sign-in", did="signed-out")
    address = visit.desk.address
    answer.delete_cookie(address.cookie, path=address.cookie_path, secure=address.secure, httponly=True, samesite="strict")
    return answer


def first(visit: Visit) -> Response:
    """Where the first link leads: a name and a passphrase of one's own."""
    token = visit.request.path_params["token"]
    if not visit.desk.signins.invited(token, visit.now):
        return visit.notice(_GONE, _GONE_WORDS, status=HTTPStatus.GONE, way=f"{ROOT}/sign-in")
    return visit.sheet("first", token=token, wrong="", name="", shortest=SHORTEST)


def begin(visit: Visit) -> Response:
    """Make the first person and sign them in. The link is used up first, so that two at once are one."""
    token, desk = visit.request.path_params["token"], visit.desk
    until = desk.signins.accept(token, visit.now)
    if until is None:
        return visit.notice(_GONE, _GONE_WORDS, status=HTTPStatus.GONE, way=f"{ROOT}/sign-in")
    name, passphrase = visit.said("name"), (visit.form.get("passphrase") or ("",))[-1]
    try:
        person = visit.app.people.add(name, FIRST_ROLES, passphrase, who="the first link of the desk", now=visit.now)
    except SyndicateError as error:
        desk.signins.restore(token, until)
        wrong = f"{str(error)[:1].upper()}{str(error)[1:]}."
        again = HTTPStatus.UNPROCESSABLE_ENTITY
        return visit.sheet("first", token=token, wrong=wrong, name=name, shortest=SHORTEST, status=again)
    return _signed(visit, person, "")


def _signed(visit: Visit, person: Person, path: str) -> Response:
    token = visit.desk.signins.begin(person, visit.now, network=network(visit.request))
    address = visit.desk.address
    answer = RedirectResponse(f"{ROOT}{path}", status_code=HTTPStatus.SEE_OTHER)
    answer.set_cookie(address.cookie, token, path=address.cookie_path, secure=address.secure, httponly=True, samesite="strict")
    return answer


def _form(visit: Visit, *, name: str = "", wrong: str = "", more: str = "", status: int = HTTPStatus.OK) -> Response:
    onward = visit.said("next") or visit.asked("next")
    nobody = not visit.app.people.everybody()
    return visit.sheet("sign-in", name=name, wrong=wrong, more=more, next=_onward(onward), nobody=nobody, status=status)


def _onward(path: str) -> str:
    """A path below the desk, to which somebody is sent after signing in; anything else is the first page."""
    fine = path.startswith("/") and not path.startswith("//") and not set(path) & set("\\\r\n\t") and path.isprintable()
    return path if fine and not path.startswith("/sign-") else ""


def _minutes(until: datetime, now: datetime) -> str:
    minutes = -(-(until - now) // timedelta(minutes=1))
    return "1 minute" if minutes <= 1 else f"{minutes} minutes"


WAYS: Final = (
    Way(path="/sign-in", endpoint=form, method="GET", roles=(), open=True),
    Way(path="/sign-in", endpoint=sign_in, method="POST", roles=(), open=True),
    Way(path="/begin/{token}", endpoint=first, method="GET", roles=(), open=True),
    Way(path="/begin/{token}", endpoint=begin, method="POST", roles=(), open=True),
    act("/sign-out", sign_out, roles=EVERYBODY),
)
