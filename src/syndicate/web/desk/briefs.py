"""Briefs: what will each follower see? The newest ones, and of one every rendering, by the code that sends.

The files are where a brief is written: a text that is tried here is shown, and saved nowhere.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, Response

from syndicate.errors import SyndicateError
from syndicate.publish import byhand, rhythm, stopping
from syndicate.store import board, shelf
from syndicate.store.addresses import normalised
from syndicate.store.audit import audit
from syndicate.web.desk import pane, specimens
from syndicate.web.desk.visit import wanted
from syndicate.web.desk.ways import EVERYBODY, ROOT, act, view

if TYPE_CHECKING:
    from syndicate.model import Brief
    from syndicate.store.shelf import Cursor
    from syndicate.web.desk.specimens import Mail, Specimen
    from syndicate.web.desk.visit import Visit

_LONGEST: Final = 20_000  # characters of a text that is tried: fitting the worst of these takes a third of a second
_DAY: Final = timedelta(days=1)
_WAIT: Final = 30.0  # seconds: a frame shows the mail, or nothing
_PICTURE: Final = re.compile(r"[0-9a-f]{64}\.(?:png|jpg)")
_TOP: Final = 1 << 62


def briefs(visit: Visit) -> Response:
    """The list: what is to come, then what is out, newest first."""
    after = _cursor(visit.asked("after"))
    with visit.app.store.read() as connection:
        found = shelf.page(connection, visit.now, after)
        ahead = board.waiting_briefs(connection, visit.now) if after is None else []
        posted = shelf.posts(connection, [one.id for one in found])
    shown = found[: shelf.PAGE]
    at, key = shelf.cursor(shown[-1]) if shown else (0, 0)
    return visit.sheet(
        "briefs",
        here="/briefs",
        shown=shown,
        ahead=ahead,
        posted=posted,
        first=after is None,
        older=f"/briefs?after={at}.{key}" if len(found) > shelf.PAGE else "",
        held={hold.target for hold in visit.app.holds.list()},
    )


def brief(visit: Visit) -> Response:
    """One brief."""
    return _page(visit, _found(visit))


def preview(visit: Visit) -> Response:
    """One brief with another text on one account: shown, and saved nowhere. A script asks for that post alone."""
    found = _found(visit)
    name, text = visit.said("channel"), visit.said("text").replace("\r\n", "\n")
    if name not in rhythm.accounts(visit.app):
        msg = f"{name or 'nothing'} is no account that posts"
        raise SyndicateError(msg)
    if len(text) > _LONGEST:
        msg = f"a text of {len(text):,} characters is more than can be tried; at most {_LONGEST:,} can"
        raise SyndicateError(msg)
    tried = replace(found, social={**found.social, name: text})
    made = [replace(one, draft=text) for one in specimens.of_account(visit.app, tried, name, visit.now, tried=True)]
    if visit.said("part"):
        return HTMLResponse(visit.html("_tried", one=made[0], lines=_front(name, text), brief=found))
    return _page(visit, found, made[:1], _front(name, text))


def mail(visit: Visit) -> Response:
    """The HTML of a newsletter's mail with this brief, in a document that can do nothing."""
    found, name = _found(visit), visit.request.path_params["newsletter"]
    if name not in visit.app.settings.newsletters:
        msg = f"no newsletter is called {name!r}"
        raise SyndicateError(msg)
    work = partial(specimens.mail, visit.app, found, name, visit.now)
    made = visit.desk.counting.get(_mail_name(found, name), work, visit.now, patience=_WAIT).value
    html = (made.html if made else "") or "<!doctype html><title>No mail</title>"
    return pane.whole(html, pictures=visit.app.public("/").rstrip("/"))


def picture(visit: Visit) -> Response:
    """A picture of a post: the very bytes that are uploaded, under the name of their SHA-256."""
    name = visit.request.path_params["name"]
    file = visit.app.root / "var" / "pictures" / name
    if not _PICTURE.fullmatch(name) or not file.is_file():
        return visit.notice("There is no such picture", "Look at its brief again.", status=404, way=f"{ROOT}/briefs")
    kind = "image/png" if name.endswith(".png") else "image/jpeg"
    kept = "private, max-age=31536000, immutable"  # its address is its bytes
    return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": kept})


def send(visit: Visit) -> Response:
    """Post it now, on one account or on each, as ``posts send`` does. Nothing leaves before its time."""
    found = _found(visit)
    if visit.app.content.brief(found.id, now=visit.now) is None or str(found.status) == "withdrawn":
        msg = f"{found.slug} is not out: a draft, an embargo or a withdrawal stops it, and nothing leaves before its time"
        raise SyndicateError(msg)
    owed = byhand.post(visit.app, found, visit.said("channel"), visit.now)
    if not owed.new:
        msg = f"{found.slug} was posted, or waits to be, on {', '.join(owed.names) or 'every account'} already"
        raise SyndicateError(msg)
    detail = {"channels": ", ".join(owed.names)}
    visit.app.store.write(
        lambda connection: audit(connection, who=visit.who, act="send", subject=found.id, detail=detail, at=visit.now)
    )
    return visit.go(f"/briefs/{found.slug}", did="posted")


def hold(visit: Visit) -> Response:
    """Stop this brief before its next message."""
    found = _found(visit)
    stopping.hold(visit.app, found.id, wanted(visit.said("reason"), "the reason"), who=visit.who, now=visit.now)
    return visit.go(f"/briefs/{found.slug}", did="held-one")


def trial(visit: Visit) -> Response:
    """Send this brief as a newsletter's mail to one address. It stands in no books, and the address in no log."""
    found, name = _found(visit), visit.said("newsletter")
    if name not in visit.app.settings.newsletters:
        msg = f"no newsletter is called {name!r}"
        raise SyndicateError(msg)
    try:
        address = normalised(wanted(visit.said("address"), "the address"))[0]
    except ValueError as error:
        raise SyndicateError(str(error)) from error
    byhand.sample_mail(visit.app, name, [found], address, visit.now)
    detail = {"item": found.id}
    visit.app.store.write(
        lambda connection: audit(connection, who=visit.who, act="test", subject=name, detail=detail, at=visit.now)
    )
    return visit.go(f"/briefs/{found.slug}", did="tested")


def _page(visit: Visit, found: Brief, tried: list[Specimen] | None = None, lines: str = "") -> Response:
    app, now = visit.app, visit.now
    fitted = _is_fitted(visit, found)
    shown = specimens.posts(app, found if fitted else replace(found, image=None), now)
    feed = specimens.entry(app, found, now)
    letters = _mails(visit, found)  # last, for the page need not wait until they are made
    rows = specimens.rows(app, found, shown, {one.newsletter: one.size for one in letters}, feed, now)
    instead = {one.account: one for one in tried or ()}
    shown = [instead.get(one.account, one) if one.part == 1 else one for one in shown]
    faults = [(one.account, one.fault) for one in shown if one.fault and not one.tried]
    faults += [(one.newsletter, one.fault) for one in letters if one.fault]
    faults += [("feeds", feed.fault)] if feed and feed.fault else []
    faults += [("file", str(fault)) for fault in app.content.faults() if fault.file == found.path]
    return visit.sheet(
        "brief",
        here="/briefs",
        brief=found,
        stands=_stands(visit, found),
        rows=rows,
        shown=shown,
        letters=letters,
        fitted=fitted,
        counted=all(one.size or one.fault for one in letters),
        feed=feed,
        faults=faults,
        lines=lines,
        price=sum(row.price for row in rows),
        free=[row.channel for row in rows if row.free],
        held=next((one for one in app.holds.list() if one.target == found.id), None),
        clipped=specimens.CLIPPED,
        public=found.link if _stands(visit, found)[1] in {"published", "late"} else "",
    )


def _is_fitted(visit: Visit, found: Brief) -> bool:
    """Whether its picture is made to fit each network: beside the page, for it takes seconds of a large one."""
    if found.image is None:
        return True
    work = partial(specimens.posts, visit.app, found, visit.now)
    return visit.counted(f"pictures of {found.id} {found.content_sha}", work, fresh=_DAY).value is not None


def _mails(visit: Visit, found: Brief) -> list[Mail]:
    """Each newsletter's mail, made beside the page, for it takes longer than a page may; their frames wait for it."""
    app, now = visit.app, visit.now
    found_mails = []
    for name, letter in app.settings.newsletters.items():
        made = visit.counted(_mail_name(found, name), partial(specimens.mail, app, found, name, now))
        found_mails.append(made.value or specimens.unmade(name, letter.title))
    return found_mails


def _mail_name(found: Brief, newsletter: str) -> str:
    """The name of a rendered mail: another one with other content."""
    return f"mail of {newsletter} {found.id} {found.content_sha} {found.revision}"


def _stands(visit: Visit, found: Brief) -> tuple[str, str]:
    """Where a brief stands, as a shape and a word."""
    if str(found.status) == "withdrawn":
        return "cancelled", "withdrawn"
    if found.release is None or str(found.status) == "draft":
        return "file", "draft"
    if found.release > visit.now:
        return ("lock", "embargo") if str(found.status) == "embargoed" else ("pending", "to come")
    late = any(one.id == found.id for one in visit.app.content.late(visit.now))
    return ("deferred", "late") if late else ("sent", "published")


def _front(name: str, text: str) -> str:
    """The lines of front matter that make a text last (a JSON string is a YAML one)."""
    return f"social:\n  {name}: {json.dumps(text, ensure_ascii=False)}"


def _found(visit: Visit) -> Brief:
    slug = visit.request.path_params["slug"]
    found = visit.app.content.brief(slug, now=None)
    if found is None:
        msg = f"no brief is called {slug!r}"
        raise SyndicateError(msg)
    return found


def _cursor(text: str) -> Cursor | None:
    """Where a page begins; what is no such place begins at the newest."""
    at, _, key = text.partition(".")
    if not (at.isascii() and at.isdecimal() and key.isascii() and key.isdecimal()):
        return None
    return min(int(at), _TOP), min(int(key), _TOP)


WAYS: Final = (
    view("/briefs", briefs),
    view("/briefs/{slug}", brief),
    view("/briefs/{slug}/mails/{newsletter}", mail),
    view("/pictures/{name}", picture),
    act("/briefs/{slug}/preview", preview, roles=EVERYBODY),
    act("/briefs/{slug}/hold", hold, roles=EVERYBODY),
    act("/briefs/{slug}/send", send),
    act("/briefs/{slug}/test", trial),
)
