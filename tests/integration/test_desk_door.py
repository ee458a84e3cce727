"""The desk's door: who is let in, from where, for how long; and what a stranger cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from atdesk import PASSPHRASES, Client, desk, hire, light_hashes, signed_in  # noqa: F401 - the last but one is for all tests
from served import NOW, copy_starter, opened, served
from syndicate.app import App
from syndicate.store import audit
from syndicate.store.signins import IDLE, LONGEST, MOST, WINDOW, SignIns
from syndicate.web.desk import frame
from syndicate.web.desk.address import address
from syndicate.web.server import Serving, serve


class Hours:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def app(tmp_path: Path, hours: Hours) -> Iterator[App]:
    with opened(copy_starter(tmp_path / "publication")) as app:
        yield replace(app, now=hours)


@pytest.fixture
def here(app: App) -> Iterator[Serving]:
    with desk(app) as serving:
        yield serving


def acts(app: App) -> list[str]:
    with app.store.read() as connection:
        return [line.act for line in audit.lines(connection)]


def test_the_first_link_makes_one_person_and_is_good_once(app: App, here: Serving) -> None:
    assert here.first_link.startswith(f"{here.url}/desk/begin/")
    client = Client(here)
    assert "The first person" in client.get(here.first_link).text
    short = client.post(here.first_link, data={"name": "Mara", "passphrase": "short"})
    assert short.status_code == 422
    assert "at least 8 characters" in short.text
    made = client.post(here.first_link, data={"name": "Mara", "passphrase": PASSPHRASES["Mara"]})
    assert (made.url.path, made.status_code) == ("/desk", 200)
    assert [(person.name, person.roles) for person in app.people.everybody()] == [("Mara", ("editor", "admin"))]
    again = Client(here)
    assert again.get(here.first_link).status_code == 410
    assert again.post(here.first_link, data={"name": "Eve", "passphrase": "eve-wants-in-too"}).status_code == 410
    assert frame.first_link(app, address("", "127.0.0.1", here.port)) == ""


def test_the_first_link_lasts_a_quarter_of_an_hour_and_a_newer_one_voids_it(app: App, here: Serving, hours: Hours) -> None:
    signins = SignIns(app.store)
    newer = signins.invite(hours.now)
    assert Client(here).get(here.first_link).status_code == 410
    assert signins.invited(newer, hours.now + timedelta(minutes=14))
    assert not signins.invited(newer, hours.now + timedelta(minutes=15))
    assert signins.accept(newer, hours.now + timedelta(minutes=15)) is None


def test_a_stranger_sees_the_sign_in_and_nothing_else(app: App, here: Serving) -> None:
    hire(app, "Mara")
    stranger = Client(here)
    stranger.follow_redirects = False
    for method, path in frame.paths():
        if path in {"/sign-in", "/begin/{token}"}:
            continue
        answer = stranger.request(method, "/desk" + path.replace(":int", "").replace("{", "").replace("}", ""))
        assert answer.status_code in {303, 404}, (method, path)
        assert answer.status_code == 404 or answer.headers["location"].startswith("/desk/sign-in"), (method, path)
    assert app.holds.list() == []


def test_every_act_wants_the_token_of_its_session(app: App, here: Serving) -> None:
    hire(app, "Mara")
    mara = signed_in(here, "Mara")
    for method, path in frame.paths():
        if method == "POST" and path not in {"/sign-in", "/begin/{token}"}:
            for token in ({}, {"csrf": "0" * 64}):
                answer = mara.post(f"/desk{path}".replace("{", "").replace("}", ""), data=token)
                assert answer.status_code in {403, 404}, path
    assert app.holds.list() == []
    assert "Everything is on hold" in mara.act("/hold")


def test_a_form_from_elsewhere_does_nothing(app: App, here: Serving) -> None:
    hire(app, "Mara")
    mara = signed_in(here, "Mara")
    token = mara.look().partition('name="csrf" value="')[2].partition('"')[0]
    del mara.headers["Origin"]
    own = {"Origin": here.url}
    strange: list[dict[str, str]] = [
        *({"Origin": origin} for origin in ("https://evil.example", "null", here.url.replace("http:", "https:"))),
        *({**own, "Sec-Fetch-Site": site} for site in ("cross-site", "same-site", "none")),
        {},
    ]
    for headers in strange:
        assert mara.post("/desk/hold", data={"csrf": token}, headers=headers).status_code == 403, headers
    assert app.holds.list() == []
    assert mara.post("/desk/hold", data={"csrf": token}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_name_that_was_made_to_lead_here_is_refused(app: App, here: Serving) -> None:
    """DNS rebinding: a page of another site whose name now means this machine."""
    hire(app, "Mara")
    answer = signed_in(here, "Mara").get("/desk", headers={"Host": f"evil.example:{here.port}"})
    assert (answer.status_code, "Today" in answer.text) == (421, False)


def test_tries_are_counted_and_the_right_passphrase_waits_too(app: App, here: Serving, hours: Hours) -> None:
    hire(app, "Mara", "Ivo")
    client = Client(here)
    for left in range(MOST["pair"] - 1, -1, -1):
        answer = client.post("/desk/sign-in", data={"name": "Mara", "passphrase": "not hers"})
        assert answer.status_code == 401
        assert f"{left} " in answer.text
    right = {"name": "mara ", "passphrase": PASSPHRASES["Mara"]}
    assert client.post("/desk/sign-in", data=right).status_code == 429
    signed_in(here, "Ivo")  # another name is not kept waiting
    hours.now += WINDOW
    assert client.post("/desk/sign-in", data=right).url.path == "/desk"
    assert acts(app).count("passphrase_refused") == MOST["pair"]


def test_one_network_cannot_go_through_the_names(app: App) -> None:
    signins = SignIns(app.store)
    taken = [signins.knock(f"name {n}", "192.0.2.7", NOW) for n in range(MOST["network"] + 1)]
    assert [again is None for again in taken] == [True] * MOST["network"] + [False]
    assert signins.knock("name 0", "192.0.2.8", NOW) is None
    networks = [signins.knock("Mara", f"198.51.100.{n}", NOW) for n in range(MOST["name"] + 1)]
    assert networks[-1] == NOW + WINDOW


def test_a_session_ends_by_idleness_by_age_by_sign_out_and_with_the_person(app: App, here: Serving, hours: Hours) -> None:
    hire(app, "Mara")
    mara = signed_in(here, "Mara")

    def inside() -> bool:
        return mara.get("/desk").url.path == "/desk"

    for _ in range(int(LONGEST / (IDLE - timedelta(minutes=3)))):
        hours.now += IDLE - timedelta(minutes=3)
        assert inside()
    hours.now = NOW + LONGEST
    assert not inside()
    mara = signed_in(here, "Mara")
    hours.now += IDLE
    assert not inside()
    mara = signed_in(here, "Mara")
    kept = dict(mara.cookies)
    mara.act("/sign-out")
    mara.cookies.update(kept)
    assert not inside()
    mara = signed_in(here, "Mara")
    app.people.remove("Mara", who="test", now=hours.now)
    assert not inside()
    hours.now += timedelta(seconds=1)
    hire(app, "Mara")  # a new passphrase: the old session stays ended
    assert not inside()
    assert {"desk_sign_in", "desk_sign_out"} <= set(acts(app))


def test_what_the_database_keeps_opens_no_session(app: App, here: Serving) -> None:
    hire(app, "Mara")
    mara = signed_in(here, "Mara")
    with app.store.read() as connection:
        kept = connection.exec_driver_sql("SELECT token_sha FROM desk_session").scalar_one()
    (token,) = mara.cookies.values()
    assert kept != token
    thief = Client(here)
    thief.cookies.set(next(iter(mara.cookies)), kept)
    assert thief.get("/desk").url.path == "/desk/sign-in"


def test_roles_are_looked_at_on_the_server(app: App, here: Serving) -> None:
    hire(app, "Mara", "Ivo")
    ivo = signed_in(here, "Ivo")
    assert "Everything is on hold" in ivo.act("/hold")  # stopping needs one person, whoever it is (Q15)
    assert "not yours to do" in ivo.act("/release", {"target": "all"}, status=403)
    assert [hold.target for hold in app.holds.list()] == ["all"]


def test_answers_carry_the_policy_and_cookies_their_flags(app: App, here: Serving) -> None:
    hire(app, "Mara")
    client = Client(here)
    answer = client.post("/desk/sign-in", data={"name": "Mara", "passphrase": PASSPHRASES["Mara"]}, follow_redirects=False)
    assert {"httponly", "samesite=strict", "path=/desk"} <= set(answer.headers["set-cookie"].lower().split("; "))
    pages = [client.get(path) for path in ("/desk", "/desk/nowhere", "/desk/static/0/desk.css", "/desk/sign-in", "/")]
    for page in [answer, *pages]:
        policy = page.headers["content-security-policy"]
        assert ("default-src 'none'" in policy, "unsafe" in policy) == (True, False)
        assert page.headers["x-frame-options"] == "DENY"
    behind = address("https://desk.example.org", "127.0.0.1", 8001)
    assert (behind.secure, behind.cookie, behind.cookie_path) == (True, "__Host-desk", "/")


def test_the_sign_in_leads_nowhere_else(app: App, here: Serving) -> None:
    hire(app, "Mara")
    strange = ["//evil.example", "https://evil.example", "/\\evil.example", "/x\r\nSet-Cookie: a=b", "/sign-out"]
    for onward, place in [*((path, "/desk") for path in strange), ("/editions?a=b", "/desk/editions?a=b")]:
        data = {"name": "Mara", "passphrase": PASSPHRASES["Mara"], "next": onward}
        answer = Client(here).post("/desk/sign-in", data=data, follow_redirects=False)
        assert answer.headers["location"] == place, onward


def test_the_readers_pages_know_no_desk_unless_the_settings_say_so(app: App) -> None:
    hire(app, "Mara")
    with served(app) as serving:
        answer = Client(serving).get("/desk/sign-in")
    assert answer.status_code == 404
    assert "Passphrase" not in answer.text
    both = serve(app, "127.0.0.1", 0, with_desk=True)  # the same address under [web] and [desk]
    try:
        client = Client(both)
        assert "Passphrase" in client.look("/sign-in")
        assert client.get("/briefs/").status_code == 200
        assert client.get("/desktop").status_code == 404
        signed_in(both, "Mara").act("/hold")
    finally:
        both.stop()
    assert [hold.target for hold in app.holds.list()] == ["all"]


def test_an_open_page_alone_keeps_no_session_alive(app: App, here: Serving, hours: Hours) -> None:
    hire(app, "Mara")
    mara = signed_in(here, "Mara")
    for _ in range(5):
        hours.now += IDLE / 4
        mara.get("/desk/live")
    assert mara.get("/desk").url.path == "/desk/sign-in"
