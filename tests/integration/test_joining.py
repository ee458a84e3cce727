"""The pages on which readers sign up, confirm, choose, see and erase their data: in process, without a socket."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp

from served import NOW, copy_starter, opened, subscribe
from syndicate import links
from syndicate.app import App
from syndicate.model import Frequency, QuoteDisplay
from syndicate.publish import signup
from syndicate.store import schema, suppression
from syndicate.web import reader

FORM = {"mail": "new.reader@example.org", "frequency": "weekly", "quote": "link"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = copy_starter(tmp_path_factory.mktemp("prepared"))
    with opened(root):
        return root


class Site:
    """The web application at a time of our own, asked without a server."""

    def __init__(self, app: App) -> None:
        self.later = timedelta()
        self.app = replace(app, now=lambda: NOW + self.later)
        self._web: ASGIApp = reader.create(self.app)

    def ask(
        self, method: str, path: str, form: Mapping[str, Any] | None = None, *, client: str = "192.0.2.7", **headers: str
    ) -> Any:
        async def one() -> SimpleNamespace:
            return await self._one(method, path, form, client, headers)

        return asyncio.run(one())

    async def _one(
        self, method: str, path: str, form: Mapping[str, Any] | None, client: str, headers: Mapping[str, str]
    ) -> SimpleNamespace:
        body = urlencode(form, doseq=True).encode() if form is not None else b""
        sent: list[dict[str, Any]] = []
        told = {"host": "127.0.0.1", "content-type": "application/x-www-form-urlencoded"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        bare, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": bare,
            "raw_path": bare.encode(), "query_string": query.encode(), "root_path": "", "client": (client, 1), "server": ("127.0.0.1", 80),
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._web(scope, receive, send)
        answer = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(part.get("body", b"") for part in sent[1:]).decode()
        return SimpleNamespace(status=sent[0]["status"], headers=answer, text=text)

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def sign_up(self, *, path: str = "/subscribe", wait: float = 10, client: str = "192.0.2.7", **form: Any) -> Any:
        """Fill the form in as a person does: fetch it, take a while, send it."""
        page = self.get(path)
        stamp = re.search(r'name="stamp" value="([^"]+)"', page.text)
        assert stamp
        self.later += timedelta(seconds=wait)
        return self.ask("POST", path, {**FORM, "stamp": stamp[1], **form}, client=client)

    def state(self, address: str = FORM["mail"]) -> str:
        with self.app.store.read() as connection:
            query = sa.select(schema.subscription.c.state).join(
                schema.subscriber, schema.subscriber.c.key == schema.subscription.c.subscriber
            )
            return str(connection.execute(query.where(schema.subscriber.c.address_key == address)).scalar() or "")

    def token(self, address: str = FORM["mail"]) -> links.ReaderToken:
        with self.app.store.read() as connection:
            key = connection.execute(
                sa.select(schema.subscriber.c.key).where(schema.subscriber.c.address_key == address)
            ).scalar_one()
        return signup.token(self.app.subscribers.views(key)[0])

    def path(self, purpose: str, address: str = FORM["mail"]) -> str:
        token = self.token(address)
        if purpose in {"export", "erase"}:
            fresh = links.FreshToken(token=token, until=self.app.now() + timedelta(hours=24))
            return f"/{purpose}/{links.sign_fresh(fresh, self.app.token_keys, purpose)}"
        return f"/{purpose}/{links.sign(token, self.app.token_keys, 'confirm' if purpose == 'c' else 'link')}"

    def owed(self) -> list[str]:
        with self.app.store.read() as connection:
            return [row.partition(":")[0] for row in connection.execute(sa.select(schema.sending.c.subject)).scalars()]


@contextmanager
def site_of(prepared: Path, folder: Path, **settings: str) -> Iterator[Site]:
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    config = folder / "config" / "syndicate.toml"
    text = config.read_text(encoding="utf-8")
    for key, value in settings.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    config.write_text(text, encoding="utf-8")
    with opened(folder) as app:
        yield Site(app)


@pytest.fixture
def site(prepared: Path, tmp_path: Path) -> Iterator[Site]:
    with site_of(prepared, tmp_path) as site:
        yield site


# -- signing up ---------------------------------------------------------------------------------


def test_a_sign_up_is_pending_until_its_owner_presses_the_button(site: Site) -> None:
    topics = {"topics": "shown", "topic": ["leaving", "early-signs", "made-up"]}
    answer = site.sign_up(hour="9", zone="Asia/Kolkata", weekday="3", lang="ar", **topics)
    assert (answer.status, site.state(), site.owed()) == (200, "pending", ["confirm"])
    assert "Look into your mailbox" in answer.text
    page = site.get(site.path("c"))
    assert "n•••••@e•••••.org" in page.text
    assert 'lang="ar" dir="rtl"' in page.text
    assert site.state() == "pending"
    assert site.ask("POST", site.path("c"), {}).status == 200
    assert (site.state(), site.owed()) == ("active", ["confirm", "welcome"])
    assert site.ask("POST", site.path("c"), {}).status == 200  # once more is harmless
    assert site.owed() == ["confirm", "welcome"]
    (view,) = site.app.subscribers.views(site.token().subscriber)
    assert (view.wishes.frequency, view.wishes.quote_display) == (Frequency.WEEKLY, QuoteDisplay.LINK)
    assert (view.wishes.hour, view.wishes.zone, view.wishes.weekday, view.wishes.lang) == (9, "Asia/Kolkata", 3, "ar")
    assert view.wishes.topics == ("early-signs", "leaving")
    record = signup.record(site.app, view.subscriber)
    assert record
    consent = record["subscriptions"][0]["consent"]
    assert "I agree that The Brackmere Letter is sent to this address" in consent["wording"]
    assert consent["wording"] in site.get("/subscribe").text
    assert consent["form"] == "/subscribe"


def test_everybody_is_told_the_same_and_in_as_many_steps(site: Site) -> None:
    subscribe(site.app, "known@example.org")
    site.app.store.write(lambda connection: suppression.suppress(connection, "gone@example.org", "complaint", NOW))
    site.sign_up(mail="waiting@example.org")
    commits = []
    original = site.app.store.write
    site.app.store.write = lambda work: commits.append(1) or original(work)  # type: ignore[method-assign]
    try:
        said = set()
        for address in ("fresh", "known", "gone", "gone", "waiting", "waiting", "waiting"):
            answer = site.sign_up(mail=f"{address}@example.org")
            headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
            said.add((answer.status, answer.text, str(headers), len(commits)))
            commits.clear()
    finally:
        site.app.store.write = original  # type: ignore[method-assign]
    assert len(said) == 1
    assert sorted(site.owed()) == ["confirm"] * 5 + ["known"]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"mail": ""}, "Write your email address."),
        ({"mail": "reader"}, "The @ is missing."),
        ({"mail": "reader@"}, "The part after @ is missing"),
        ({"mail": "re ader@example.org"}, "Mail servers do not take this address."),
        ({"frequency": "hourly"}, "Choose how often we write."),
        ({"quote": "loud"}, "Choose how the quotation is shown."),
        ({"hour": "24"}, "Choose a full hour"),
        ({"weekday": "x"}, "Choose a day of the week."),
        ({"zone": "Mars/Base"}, "Choose a time zone of the list."),
        ({"lang": "tlh"}, "Something needs another look"),
    ],
)
def test_a_faulty_form_is_shown_again_with_what_was_typed(site: Site, form: dict[str, str], told: str) -> None:
    answer = site.sign_up(**form)
    assert answer.status == 422
    assert told in answer.text
    assert 'role="alert"' in answer.text
    assert re.search(r'value="weekly"[^>]* checked', answer.text) or "frequency" in form
    assert site.owed() == []


def test_a_program_is_held_up_and_a_person_is_not(site: Site) -> None:
    assert site.sign_up(website="https://spam.example").status == 200
    for wait in (0, 1, 25 * 3600):
        answer = site.sign_up(wait=wait)
        assert answer.status == 422
        assert "press the button once more" in answer.text
        assert FORM["mail"] in answer.text
    for stamp in ("", "x", links.stamp(NOW, {1: b"another key"})):
        assert site.ask("POST", "/subscribe", {**FORM, "stamp": stamp}).status == 422
    assert site.owed() == []
    assert site.sign_up(wait=3).status == 200
    assert site.owed() == ["confirm"]


def test_a_network_that_asks_too_often_is_told_to_wait(prepared: Path, tmp_path: Path) -> None:
    with site_of(prepared, tmp_path, per_network="2", ceiling="3") as site:
        said = [site.sign_up(mail=f"r{n}@example.org", client=f"192.0.2.{n}") for n in range(3)]
        assert [answer.status for answer in said] == [200, 200, 429]
        assert said[-1].headers["retry-after"] == "3600"
        assert site.sign_up(mail="r3@example.org", client="203.0.113.1").status == 200
        assert site.sign_up(mail="r4@example.org", client="198.51.100.1").status == 503
        assert len(site.owed()) == 3


@pytest.mark.parametrize(
    ("trusted", "client", "forwarded", "counted"),
    [
        ("[]", "192.0.2.7", "203.0.113.9", "192.0.2.0/24"),  # nobody is believed
        ('["127.0.0.1"]', "192.0.2.7", "203.0.113.9", "192.0.2.0/24"),  # not a proxy of ours
        ('["127.0.0.1"]', "127.0.0.1", "203.0.113.9", "203.0.113.0/24"),
        ('["127.0.0.1"]', "127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.0/24"),  # what stands before it was made up
        ('["127.0.0.1", "10.0.0.0/8"]', "127.0.0.1", "203.0.113.9, 10.1.1.1", "203.0.113.0/24"),
        ('["127.0.0.1"]', "127.0.0.1", "garbage", "unknown"),
        ('["127.0.0.1"]', "127.0.0.1", "", "unknown"),
    ],
)
def test_only_a_proxy_of_ours_says_where_a_reader_is(trusted: str, client: str, forwarded: str, counted: str) -> None:
    import tomllib

    from starlette.requests import Request

    from syndicate.web import forms

    scope = {"type": "http", "client": (client, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert forms.network(Request(scope), tomllib.loads(f"x = {trusted}")["x"]) == counted


def test_several_newsletters_are_chosen_from_and_a_strange_one_is_not_there(prepared: Path, tmp_path: Path) -> None:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "config" / "syndicate.toml"
    more = '\n[newsletters.alerts]\ntitle = "Alerts"\nfrom = "Alerts <alerts@brackmere.example>"\ninstant = false\nweekly = false\ndaily = "0 7 * * *"\nquote = "none"\n'
    config.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
    with opened(tmp_path) as app:
        site = Site(app)
        assert 'href="/subscribe/alerts"' in site.get("/subscribe").text
        page = site.get("/subscribe/alerts").text
        assert 'id="hour"' not in page  # a cron line has no hour to move
        assert 'name="quote"' not in page
        assert site.sign_up(path="/subscribe/alerts", frequency="daily").status == 200
        assert site.get("/subscribe/nowhere").status == 404


# -- choosing, and one's own data ---------------------------------------------------------------


def test_each_choice_is_saved_and_shown_again(site: Site) -> None:
    subscribe(site.app, FORM["mail"])
    path = site.path("p")
    chosen = {"frequency": "daily", "quote": "none", "hour": "18", "weekday": "6", "zone": "America/New_York", "lang": "ar"}
    answer = site.ask("POST", path, {**chosen, "topics": "shown", "topic": "leaving", "pause": "2026-12-24"})
    assert answer.status == 200
    for name, value in [("hour", "18"), ("weekday", "6"), ("zone", "America/New_York"), ("lang", "ar")]:
        select = re.search(rf'<select id="{name}".*?</select>', answer.text, re.DOTALL)
        assert select
        assert re.search(rf'value="{value}"[^>]* selected', select[0]), name
    assert re.search(r'value="leaving"[^>]* checked', answer.text)
    assert 'value="2026-12-24"' in answer.text
    (view,) = site.app.subscribers.views(site.token().subscriber)
    assert view.paused_to is not None
    assert view.paused_to.isoformat() == "2026-12-24T05:00:00+00:00"  # the day begins in New York
    for wrong in ("2028-01-01", "tomorrow", "2026-02-30"):
        assert site.ask("POST", path, {**chosen, "pause": wrong}).status == 422
    assert site.ask("POST", path, {**chosen, "pause": ""}).status == 200
    (view,) = site.app.subscribers.views(site.token().subscriber)
    assert view.paused_to is None


@pytest.mark.parametrize("less", ["weekly", "noquote", "month", "nonsense"])
def test_receiving_less_is_one_press_beside_leaving(site: Site, less: str) -> None:
    subscribe(site.app, FORM["mail"])
    answer = site.ask("POST", site.path("p"), {"less": less})
    (view,) = site.app.subscribers.views(site.token().subscriber)
    assert answer.status == (422 if less == "nonsense" else 200)
    assert (view.wishes.frequency is Frequency.WEEKLY) == (less == "weekly")
    assert (view.wishes.quote_display is QuoteDisplay.NONE) == (less == "noquote")
    assert (view.paused_to is not None) == (less == "month")
    assert view.state == "active"


def test_ones_data_need_a_fresh_link_and_a_press(site: Site) -> None:
    subscribe(site.app, FORM["mail"])
    for purpose in ("export", "erase"):
        assert "A link is on its way" in site.ask("POST", site.path("p"), {"send": purpose}).text
    assert sorted(site.owed()) == ["erase", "export"]
    export, erase = site.path("export"), site.path("erase")
    assert FORM["mail"] not in site.get(export).text
    answer = site.ask("POST", export, {})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    assert FORM["mail"] in answer.text
    site.get(erase)
    assert site.state() == "active"
    site.later += timedelta(hours=24)
    for path in (export, erase):
        assert site.ask("POST", path, {}).status == 410
    assert site.state() == "active"
    gone = site.path("erase")
    assert "Everything is erased" in site.ask("POST", gone, {}).text
    assert site.state() == ""
    assert site.ask("POST", gone, {}).status == 200
    assert site.ask("POST", export.replace("export", "erase"), {}).status == 404  # a link to look does not erase


# -- scanners, headers --------------------------------------------------------------------------


def test_scanners_that_open_every_link_change_nothing(site: Site) -> None:
    site.sign_up()
    subscribe(site.app, "active@example.org")
    paths = [site.path(purpose, "active@example.org") for purpose in ("u", "p", "export", "erase")] + [site.path("c")]
    with site.app.store.read() as connection:
        before = connection.exec_driver_sql("SELECT * FROM subscription").all()

    async def scan() -> None:
        for number in range(20):
            for path in paths:
                for method in ("GET", "HEAD"):
                    answer = await site._one(
                        method, path, None if number % 2 else {"List-Unsubscribe": "One-Click"}, "192.0.2.7", {}
                    )
                    assert answer.status == 200

    asyncio.run(scan())
    with site.app.store.read() as connection:
        assert connection.exec_driver_sql("SELECT * FROM subscription").all() == before
    assert site.owed() == ["confirm"]


def test_every_page_is_strict_and_sets_no_cookie(site: Site) -> None:
    subscribe(site.app, FORM["mail"])
    own = [site.path(purpose) for purpose in ("u", "p", "c", "export", "erase")]
    for path in ["/", "/subscribe", *own]:
        answer = site.get(path)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert "script" not in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in answer.headers
        assert (answer.headers["cache-control"] == "no-store") == (path != "/")
        if path in own:
            assert answer.headers["x-robots-tag"] == "noindex"
            assert "new.reader" not in answer.text
    assert 'href="/subscribe"' in site.get("/").text


def test_arabic_pages_are_arabic(site: Site) -> None:
    page = site.get("/subscribe?lang=ar").text
    assert '<html lang="ar" dir="rtl">' in page
    assert "أرسلوا إليّ التأكيد" in page
    answer = site.sign_up(path="/subscribe?lang=ar")
    assert "انظروا في بريدكم" in answer.text
    (view,) = site.app.subscribers.views(site.token().subscriber)
    assert view.wishes.lang == "ar"
