"""The desk in a real Chromium against the running program: one day as a story; then every page, by eye and by keys."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

import axe
from chromium import Heard, look
from command import Publication, sample
from legible import OVERFLOW

PASSPHRASE = "mends-the-weir-by-hand"
QUOTE = "y2sf6mbt4qwjz7rk"
PAGES = (
    "",
    "/calendar",
    "/calendar?week=2026-W48",
    "/quotes",
    f"/quotes/{QUOTE}",
    "/briefs",
    "/briefs/borrowed-clock",
    "/editions",
    "/editions/1",
    "/deliveries",
    "/deliveries?state=sent",
    "/settings",
    "/keys",
    "/release?target=all",
)
SMALL = r"""[...document.querySelectorAll('a, button, input, select, summary')].filter(n => {
  const box = n.getBoundingClientRect(), inline = getComputedStyle(n).display === 'inline';
  return box.width && box.right > 0 && !inline && !n.closest('.vh') && !n.matches('[type=radio], [type=checkbox]') && (box.height < 24 || box.width < 24);
}).map(n => n.outerHTML.slice(0, 60))"""  # WCAG 2.2 §2.5.8: targets of 24 px, unless they stand in a sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Office:
    """The running program, and what its ledger and its outbox hold."""

    letter: Publication
    desk: str  # its address

    def rows(self, query: str) -> list[str]:
        with sqlite3.connect(f"file:{self.letter.root}/var/syndicate.db?mode=ro", uri=True) as database:
            return [row[0] for row in database.execute(query)]

    def held(self) -> list[str]:
        return self.rows("SELECT target || ': ' || reason FROM hold")

    def deliveries(self, state: str) -> int:
        return self.rows("SELECT state FROM delivery").count(state)

    def hire(self, name: str, role: str) -> None:
        """As an admin does it on the machine."""
        file = self.letter.home / "passphrases"
        file.write_text(f"{PASSPHRASE}\n" * 3, encoding="utf-8")
        done = self.letter.command(
            "people", "add", name, "--role", role, "--as", "Mara", environ={"SYNDICATE_PASSPHRASE_FILE": str(file)}
        )
        assert done.code == 0, done.said

    def enter(self, page: Page, name: str, passphrase: str = PASSPHRASE) -> None:
        page.goto(f"{self.desk}/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Passphrase").fill(passphrase)
        page.get_by_role("button", name="Sign in").click()


def eventually(happened: Callable[[], bool]) -> None:
    """Wait for what the program does by itself."""
    give_up = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.1)


def complaints(heard: Heard) -> list[str]:
    """What the console said, but for the refusals that a test asked for."""
    asked = ("responded with a status of 4", "'postMessage' on 'DOMWindow'")  # axe asks in vain at sandboxed frames
    return [line for line in heard.complaints if not any(words in line for words in asked)]


def spoil(letter: Publication) -> None:
    """A post that nobody answered, and a mail that still waits: as a bad morning leaves them."""
    database = sqlite3.connect(letter.root / "var" / "syndicate.db", timeout=30)
    for channel, state in (("x", "uncertain"), ("mail", "pending")):
        (sending, place, kind) = database.execute(
            "SELECT d.sending, d.place, p.kind FROM delivery d JOIN place c ON c.key = d.channel JOIN place p ON p.key = d.place "
            "WHERE c.name = ? ORDER BY 1, 2 LIMIT 1", (channel,)
        ).fetchone()  # fmt: skip
        far = 4_102_444_800_000_000  # in 2100, to which no run comes
        run = database.execute
        run("UPDATE delivery SET state = ?, not_before = ? WHERE sending = ? AND place = ?", (state, far, sending, place))
        run("UPDATE tally SET n = n - 1 WHERE sending = ? AND state = 'sent' AND place_kind = ?", (sending, kind))
        run("INSERT INTO tally VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (sending, kind, state))
        run("INSERT INTO attempt (sending, place, at, outcome, code, detail) VALUES (?, ?, 1, ?, 'cut', 'no answer in 10 s')",
            (sending, place, state))  # fmt: skip
        run("UPDATE sending SET state = 'open' WHERE key = ?", (sending,))
        run("UPDATE edition SET state = 'sending' WHERE key = (SELECT CAST(subject AS INTEGER) FROM sending WHERE key = ? AND kind = 'edition')",
            (sending,))  # fmt: skip
    database.commit()
    database.close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Office]:
    """The sample, running, where four eyes look at each quote; Mara has begun, and the morning was bad."""
    letter = sample(tmp_path_factory.mktemp("desk"))
    letter.settings(('approval = "solo"', 'approval = "four-eyes"'))
    with letter.running("--port", "0") as running:
        office = Office(letter=letter, desk=running.heard(r"desk: (http://\S+/desk)$"))
        link = running.heard(r"(http://\S+/desk/begin/\S+)")
        with browser.new_page() as mara:
            begin_by_the_link(office, mara, link)
        eventually(lambda: office.rows("SELECT DISTINCT state FROM delivery") == ["sent"])
        spoil(letter)
        yield office


@pytest.fixture
def mara(office: Office, page: Page) -> Page:
    """Mara at her desk."""
    look(page, 1440)
    office.enter(page, "Mara")
    expect(page.get_by_role("navigation", name="Desk")).to_be_visible()
    return page


# -- one day, in the order in which it happens: what people see, and what the ledger and the outbox hold then ------------


def begin_by_the_link(office: Office, mara: Page, link: str) -> None:
    """The link that `run` printed makes the first person, once."""
    mara.goto(link)
    assert axe.violations(mara) == []
    mara.get_by_label("Name").fill("Mara")
    mara.get_by_label("Passphrase").fill(PASSPHRASE)
    mara.get_by_role("button", name="Begin").click()
    expect(mara.get_by_text("Mara, editor, admin")).to_be_visible()
    assert office.rows("SELECT name FROM person") == ["Mara"]
    mara.goto(link)
    expect(mara.get_by_role("main")).to_contain_text("This link is not good any more")


def test_a_day_at_the_desk(office: Office, browser: Browser) -> None:
    with browser.new_page() as mara, browser.new_page() as ivo, browser.new_page() as tess:
        heard = [Heard(page) for page in (mara, ivo, tess)]
        sign_in(office, mara)
        agree_to_a_quote(office, ivo, tess)
        hold_everything(office, mara)
        release_in_two_steps(office, mara)
        send_now(office, mara)
        settle_what_is_uncertain(office, mara)
        try_a_text(office, mara)
        send_a_test(office, mara)
        assert [line for one in heard for line in complaints(one)] == []
        home = office.desk.removesuffix("/desk")
        assert [url for one in heard for url in one.requests if not url.startswith(home)] == []
    acts = office.rows(
        "SELECT act FROM audit WHERE who = 'Mara' AND at > (SELECT max(at) FROM audit WHERE act = 'desk_sign_out')"
    )
    assert acts == ["desk_sign_in", "people_add", "people_add", "hold", "hold", "release", "send", "settle", "test"]


def sign_in(office: Office, mara: Page) -> None:
    office.enter(mara, "Mara", "not-her-passphrase")
    expect(mara.get_by_role("alert")).to_contain_text("Name and passphrase do not match.")
    office.enter(mara, "Mara")
    mara.get_by_role("button", name="Sign out").click()
    expect(mara.get_by_role("status")).to_contain_text("You are signed out")
    office.enter(mara, "Mara")
    expect(mara.get_by_role("main")).to_contain_text("x did not answer for")


def agree_to_a_quote(office: Office, ivo: Page, tess: Page) -> None:
    """One person is not enough, and both read the words inside their frame."""
    agreed = "SELECT p.name || ': ' || a.role FROM approval a JOIN person p ON p.key = a.person ORDER BY a.key"
    office.hire("Ivo", "verifier")
    office.hire("Tess", "approver")
    office.enter(ivo, "Ivo")
    ivo.get_by_role("link", name="Quotes").click()
    expect(ivo).to_have_url(f"{office.desk}/quotes")
    queue = ivo.get_by_role("table", name="Approval queue")
    eventually(lambda: queue.count() == 1 or not ivo.reload())  # a page is there before all is counted
    queue.get_by_role("link", name=QUOTE).click()
    framed = ivo.frame_locator("iframe[title='The quote as its page shows it']").locator("body")
    expect(framed).to_contain_text(re.compile(r"Extremist’s own words, shown for study.*Sign no paper\.", re.DOTALL))
    expect(ivo.get_by_role("button", name="Approve")).to_have_count(0)
    ivo.get_by_role("button", name="Verify the content").click()
    expect(ivo.get_by_role("status")).to_contain_text("Verified, and written in the audit log.")
    expect(ivo.get_by_role("main")).to_contain_text("waits for an approver")
    assert office.rows(agreed) == ["Ivo: verifier"]
    office.enter(tess, "Tess")
    tess.goto(f"{office.desk}/quotes/{QUOTE}")
    expect(tess.get_by_role("button", name="Verify")).to_have_count(0)
    tess.get_by_role("button", name=re.compile(r"Approve these \d+ renderings")).click()
    expect(tess.get_by_role("main")).to_contain_text("may leave")
    assert office.rows(agreed) == ["Ivo: verifier", "Tess: approver"]
    rotation = tess.get_by_role("table", name="Rotation")
    eventually(lambda: tess.goto(f"{office.desk}/quotes") is not None and rotation.get_by_text(QUOTE).count() == 1)
    assert not [post for post in office.letter.posts("x") if post.startswith("quotes/")]  # today's slot had gone by


def hold_everything(office: Office, mara: Page) -> None:
    """One click stops everything; the reason follows. What comes due now is cancelled."""
    main, before = mara.get_by_role("main"), office.letter.snapshot("var/outbox")
    mara.get_by_role("button", name="Hold everything").click()
    expect(main).to_contain_text("no reason is written yet")
    assert office.held() == ["all: from the desk, reason to follow"]
    mara.get_by_label("Reason").fill("we check a source")
    mara.get_by_role("button", name="Save reason").click()
    expect(mara.get_by_role("banner")).to_contain_text("Mara: we check a source")
    assert office.held() == ["all: we check a source"]
    office.letter.brief("tide-tables", datetime.now(UTC))
    cancelled = main.get_by_text("cancelled: tide-tables: all is on hold: we check a source")
    eventually(lambda: mara.reload() is not None and cancelled.count() == 3)
    assert office.letter.snapshot("var/outbox") == before


def release_in_two_steps(office: Office, mara: Page) -> None:
    """The page says what is lost and asks about what is half-sent; nothing is chosen for anybody."""
    main = mara.get_by_role("main")
    mara.get_by_role("link", name="Release…", exact=True).click()
    for lost in ("posts.x", "posts.mastodon", "posts.bluesky", "digest.instant"):
        expect(main).to_contain_text(lost)
    expect(main.get_by_role("radio")).to_have_count(2)
    expect(main.get_by_role("radio", checked=True)).to_have_count(0)
    main.locator("form.release").evaluate("form => { form.noValidate = true; }")
    main.get_by_role("button", name="Release everything").click()
    expect(mara.get_by_role("alert")).to_contain_text("Nothing was released")
    assert office.held() == ["all: we check a source"]
    main.get_by_label("Cancel the rest").check()
    main.get_by_role("button", name="Release everything").click()
    expect(mara.get_by_role("status")).to_contain_text("What came due under the hold stays cancelled.")
    assert office.held() == []
    assert office.deliveries("cancelled") == 1


def send_now(office: Office, mara: Page) -> None:
    """What the hold cancelled leaves by hand."""
    assert "briefs/tide-tables" not in office.letter.posts("x")
    mara.goto(f"{office.desk}/briefs/tide-tables")
    mara.get_by_role("button", name="Send 3 posts now").click()
    expect(mara.get_by_role("status")).to_contain_text("It is due now")
    for channel in ("x", "mastodon", "bluesky"):
        eventually(lambda channel=channel: "briefs/tide-tables" in office.letter.posts(channel))
    sent = mara.get_by_role("table", name="Where it goes").get_by_text("sent", exact=True)
    eventually(lambda: mara.reload() is not None and sent.count() == 3)


def settle_what_is_uncertain(office: Office, mara: Page) -> None:
    """A person says what the machine cannot know; nothing leaves a second time."""
    before = office.letter.posts("x")
    mara.get_by_role("link", name="Today").click()
    mara.get_by_role("link", name="Settle").click()
    expect(mara).to_have_url(f"{office.desk}/deliveries#uncertain")
    expect(mara.get_by_role("table", name="Uncertain")).to_contain_text("no answer in 10 s")
    assert office.deliveries("uncertain") == 1
    mara.get_by_role("button", name="It was sent").click()
    expect(mara.get_by_role("status")).to_contain_text("Recorded as sent.")
    expect(mara.get_by_role("main")).to_contain_text("Nothing needs your word.")
    assert office.deliveries("uncertain") == 0
    assert office.letter.posts("x") == before


def try_a_text(office: Office, mara: Page) -> None:
    """A post stands as its network would show it while somebody writes, and nothing is kept."""
    mara.goto(f"{office.desk}/briefs/borrowed-clock")
    mara.get_by_text("Edit text for x").click()
    mara.get_by_label("Text for x", exact=True).fill("Nobody lent it.")
    post = mara.locator("#post-x [data-tried]")
    expect(post).to_contain_text("Nobody lent it.")
    expect(post).to_contain_text("Nothing is saved")
    expect(mara).to_have_url(f"{office.desk}/briefs/borrowed-clock")
    assert not office.rows("SELECT key FROM item WHERE front LIKE '%Nobody lent it%'")


def send_a_test(office: Office, mara: Page) -> None:
    """One mail to one address, in no books; the address is written nowhere."""
    books = office.rows("SELECT state || n FROM tally ORDER BY sending, place_kind, state")
    mara.get_by_label("Send a test to").fill("tried.by.mara@example.org")
    mara.get_by_role("button", name="Send test").click()
    expect(mara.get_by_role("status")).to_contain_text("The test mail is on its way. It stands in no books.")
    eventually(lambda: [kind for reader, kind in office.letter.mails() if reader == "tried.by.mara"] != [])
    assert office.rows("SELECT state || n FROM tally ORDER BY sending, place_kind, state") == books
    assert not office.rows("SELECT seq FROM audit WHERE detail || subject LIKE '%tried.by.mara%'")


# -- every page ----------------------------------------------------------------------------------------------------------


def test_keys_lead_to_pages_and_can_be_switched_off(office: Office, mara: Page) -> None:
    press, before = mara.keyboard.press, office.held()
    press("h")
    expect(mara.locator("[data-hold]")).to_be_focused()
    assert office.held() == before  # a key alone never presses it
    press("g")
    press("d")
    expect(mara).to_have_url(f"{office.desk}/deliveries")
    press("j")
    expect(mara.locator("[data-row] :focus")).to_have_count(1)
    mara.goto(f"{office.desk}/keys")
    mara.get_by_label("Single keys, in this browser").uncheck()
    mara.goto(office.desk)
    press("h")
    expect(mara.locator("[data-hold]")).not_to_be_focused()


def test_every_page_can_be_read_by_everybody(office: Office, mara: Page) -> None:
    heard = Heard(mara)
    mara.get_by_role("button", name="Hold everything").click()  # so that there is something to release
    expect(mara.get_by_role("status")).to_contain_text("Everything is on hold.")
    for path in PAGES:
        look(mara, 1600)
        mara.goto(f"{office.desk}{path}")
        for width, dark in ((1600, False), (768, False), (320, True)):
            look(mara, width, dark=dark)
            assert mara.evaluate(f"[{OVERFLOW}, {SMALL}]") == [[], []], (path, width)
            assert width == 768 or axe.violations(mara) == [], (path, width)
    assert complaints(heard) == []


def test_what_moves_renews_itself_and_can_be_paused(office: Office, mara: Page) -> None:
    heard = Heard(mara)
    mara.clock.install()
    mara.goto(office.desk)
    with mara.expect_response("**/desk/live") as answer:
        mara.clock.run_for(5_000)
    assert "The day, slot by slot" in answer.value.text()
    mara.get_by_role("button", name="Pause updates").click()
    mara.goto(office.desk)
    expect(mara.get_by_role("button", name="Resume updates")).to_be_visible()
    heard.requests.clear()
    mara.clock.run_for(20_000)
    assert heard.requests == []
    assert complaints(heard) == []
