"""What a page of the desk is given, and how it answers. Knows no page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse, RedirectResponse, Response

from syndicate.errors import SyndicateError
from syndicate.web.desk import rail
from syndicate.web.desk.address import Address, token_of_forms
from syndicate.web.desk.counting import FRESH, Counted, Counting
from syndicate.web.desk.sheets import Sheets
from syndicate.web.desk.ways import ROOT, may

if TYPE_CHECKING:
    from starlette.requests import Request

    from syndicate.app import App
    from syndicate.store.people import Person
    from syndicate.store.signins import SignIns
    from syndicate.web.desk.pace import Pace

T = TypeVar("T")

_PATIENCE: Final = 0.04  # seconds that a page waits for what is counted beside it
# What an act says after its redirect: words of ours alone, so that an address can say nothing else.
DONE: Final = {
    "held": "Everything is on hold. Nothing leaves until somebody releases it.",
    "held-one": "It is on hold.",
    "reason": "The reason is written.",
    "released": "Released. What came due under the hold stays cancelled.",
    "sent": "Recorded as sent.",
    "again": "It will be sent again by the next tick.",
    "dropped": "Recorded as cancelled: it will not be sent.",
    "submitted": "Submitted. A verifier and an approver look at it next.",
    "verified": "Verified, and written in the audit log.",
    "approved": "Approved, and written in the audit log.",
    "rejected": "Rejected. Every consent is taken back, and what waited is cancelled.",
    "posted": "It is due now, and leaves with the next tick.",
    "moved": "It is moved. It happens once, at the time below.",
    "skipped": "It will not happen. It can be taken back until its time.",
    "restored": "It happens as planned.",
    "tested": "The test mail is on its way. It stands in no books.",
    "signed-out": "You are signed out. Publishing goes on.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What all pages share."""

    app: App
    address: Address
    signins: SignIns
    sheets: Sheets
    counting: Counting
    pace: Pace
    pages: frozenset[str]  # paths that can be looked at

    def close(self) -> None:
        """End what is counted beside the pages."""
        self.counting.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One request, with who asks."""

    desk: Desk
    request: Request
    now: datetime  # aware UTC, read once
    person: Person | None  # None on the pages that are open to everybody
    token: str  # of the session; "" without one
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of a POST
    until: float = field(default_factory=lambda: monotonic() + _PATIENCE)  # up to when it waits for counts

    @property
    def app(self) -> App:
        """The publication."""
        return self.desk.app

    @property
    def zone(self) -> ZoneInfo:
        """The site's zone, in which the desk tells times."""
        return ZoneInfo(self.app.settings.site.zone)

    @property
    def who(self) -> str:
        """Who acts, for the audit log."""
        assert self.person is not None  # every act needs a session
        return self.person.name

    def said(self, name: str) -> str:
        """The last value of one field of the form, stripped; ``""`` where there is none."""
        return (self.form.get(name) or ("",))[-1].strip()

    def asked(self, name: str) -> str:
        """One parameter of the address."""
        return self.request.query_params.get(name, "").strip()

    def may(self, *wanted: str) -> bool:
        """Whether the person has one of these roles."""
        return self.person is not None and may(self.person.roles, wanted)

    def counted(self, name: str, count: Callable[[], T], *, fresh: timedelta = FRESH, stamp: object = None) -> Counted[T]:
        """A count of the desk, as ``Counting.get`` gives it: all of one page together wait for no longer than a moment."""
        left = max(0.0, self.until - monotonic())
        return self.desk.counting.get(name, count, self.now, fresh=fresh, stamp=stamp, patience=left)

    def sheet(self, template: str, *, status: int = 200, here: str = "", **values: object) -> HTMLResponse:
        """Fill in ``paper/TEMPLATE.html.j2``; ``here`` is the path of the page's entry in the rail."""
        return HTMLResponse(self.html(template, here=here, **values), status_code=status)

    def html(self, template: str, *, here: str = "", **values: object) -> str:
        """The text of a page, or of a part of one."""
        shared: dict[str, object] = {
            "site": self.app.settings.site,
            "zone": self.zone,
            "now": self.now,
            "root": ROOT,
            "pages": self.desk.pages,
            "csrf": token_of_forms(self.token) if self.token else "",
            "person": self.person,
            "may": self.may,
            "rail": rail.facts(self, here) if self.person else None,
            "did": DONE.get(self.asked("did"), ""),
        }
        return self.desk.sheets.render(template, **{**shared, **values})

    def go(self, path: str, *, did: str = "", **query: str) -> Response:
        """After an act: back to a page below /desk, which says ``DONE[did]``."""
        asked = {**query, **({"did": did} if did else {})}
        return RedirectResponse(f"{ROOT}{path}" + (f"?{urlencode(asked)}" if asked else ""), status_code=303)

    def notice(self, heading: str, words: str, *, status: int, way: str = "") -> HTMLResponse:
        """A page that says one thing; ``way`` leads on from it."""
        return self.sheet("notice", status=status, heading=heading, words=words, way=way)


def wanted(text: str, what: str) -> str:
    """``text``, which may not be empty.

    Raises
    ------
    SyndicateError
        It is.
    """
    if not text:
        msg = f"{what} is missing; nothing was done"
        raise SyndicateError(msg)
    return text
