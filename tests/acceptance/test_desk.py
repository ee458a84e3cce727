"""The desk in a real Chromium against the running program: begin, hold, let go, settle; every page, by eye and by keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import axe
import chromium
from atdesk import click, fill
from chromium import Browser
from command import Publication, sample

pytestmark = pytest.mark.skipif(
    chromium.executable() is None, reason="no Chromium here: the desk is not looked at in a browser"
)

PASSPHRASE = "mara-mends-the-weir"
PAGES = (
    "",
    "/calendar",
    "/calendar?week=2026-W48",
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
WIDE = r"""(() => { const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  return [...document.querySelectorAll('body *')].filter(n => n.getBoundingClientRect().right > wide + 1 && !n.closest('.scroll'))
    .map(n => n.tagName + '.' + n.className); })()"""
SMALL = r"""[...document.querySelectorAll('a, button, input, select, summary')].filter(n => {
  const box = n.getBoundingClientRect(), inline = getComputedStyle(n).display === 'inline';
  return box.width && box.right > 0 && !inline && !n.closest('.vh') && !n.matches('[type=radio], [type=checkbox]') && (box.height < 24 || box.width < 24);
}).map(n => n.outerHTML.slice(0, 60))"""  # WCAG 2.2 §2.5.8: targets of 24 px, unless they stand in a sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    letter: Publication
    browser: Browser
    desk: str  # its address

    def held(self) -> list[str]:
        return self.rows("SELECT target || ': ' || reason FROM hold")

    def rows(self, query: str) -> list[str]:
        with sqlite3.connect(f"file:{self.letter.root}/var/syndicate.db?mode=ro", uri=True) as database:
            return [row[0] for row in database.execute(query)]

    def open(self, path: str) -> None:
        self.browser.open(f"{self.desk}{path}")

    def complaints(self) -> list[str]:
        """What the console said, but for the refusals that a test asked for."""
        asked = ("responded with a status of 4", "'postMessage' on 'DOMWindow'")  # axe asks in vain at sandboxed frames
        return [line for line in self.browser.complaints if not any(words in line for words in asked)]

    def said(self) -> str:
        return " ".join(str(self.browser.ask("document.querySelector('main').innerText")).split())


def spoil(letter: Publication) -> None:
    """A post that nobody answered, and a mail that still waits: as a bad morning leaves them."""
    database = sqlite3.connect(letter.root / "var" / "syndicate.db")
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
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The sample after its first run, running, with a browser that has followed the first link."""
    letter = sample(tmp_path_factory.mktemp("desk"))
    assert letter.run().code == 0
    spoil(letter)
    with letter.running("--port", "0") as running, chromium.browser(tmp_path_factory.mktemp("profile")) as browser:
        desk = running.heard(r"desk: (http://\S+/desk)$")
        link = running.heard(r"(http://\S+/desk/begin/\S+)")
        running.heard(r"next: ")
        browser.look(1440)
        browser.open(link)
        assert axe.violations(browser) == []
        fill(browser, "#u", "Mara")
        fill(browser, "#p", PASSPHRASE)
        click(browser, "button.go")
        assert browser.ask("location.pathname") == "/desk"
        yield Visit(letter=letter, browser=browser, desk=desk)


def test_a_day_at_the_desk(visit: Visit) -> None:
    browser = visit.browser
    click(browser, "form.me button")
    assert "You are signed out" in visit.said()
    fill(browser, "#u", "Mara")
    fill(browser, "#p", "not hers")
    click(browser, "button.go")
    assert "do not match" in visit.said()
    fill(browser, "#p", PASSPHRASE)
    click(browser, "button.go")
    assert "x did not answer for" in visit.said()
    # One click stops everything; the reason follows.
    click(browser, ".halt form button.stop")
    assert visit.held() == ["all: from the desk, reason to follow"]
    assert "no reason is written yet" in visit.said()
    fill(browser, "#hr", "we check a source")
    click(browser, ".halt details form button")
    assert visit.held() == ["all: we check a source"]
    # Two steps let go on, and nothing is chosen for anybody.
    click(browser, ".halt a.stop")
    assert browser.ask("document.querySelectorAll('input[type=radio]:checked').length") == 0
    assert browser.ask("document.querySelectorAll('fieldset.rest').length") == 1
    browser.ask("document.querySelector('form.release').noValidate = true;0")
    click(browser, "form.release button.stop")
    assert "Nothing was released" in visit.said()
    browser.ask("document.querySelector('input[value=cancel]').click();0")
    click(browser, "form.release button.stop")
    assert visit.held() == []
    assert visit.rows("SELECT count(*) FROM delivery WHERE state = 'cancelled'") == [1]
    # A person says what the machine cannot know.
    click(browser, ".al a.b")
    assert browser.ask("location.hash") == "#uncertain"
    assert "no answer in 10 s" in visit.said()
    click(browser, "button[value=sent]")
    assert "Nothing needs your word" in visit.said()
    assert visit.rows("SELECT count(*) FROM delivery WHERE state = 'uncertain'") == [0]
    acts = visit.rows("SELECT act FROM audit WHERE who = 'Mara' ORDER BY seq")
    assert acts == ["desk_sign_in", "desk_sign_out", "desk_sign_in", "hold", "hold", "release", "settle"]


def test_keys_lead_to_pages_and_can_be_switched_off(visit: Visit) -> None:
    visit.open("")
    press = "document.dispatchEvent(new KeyboardEvent('keydown', {key: '%s', bubbles: true}));0"
    visit.browser.ask(press % "h")
    assert "Hold everything" in visit.browser.ask("document.activeElement.innerText")
    assert visit.held() == []  # a key alone never presses it
    visit.browser.ask(press % "g")
    visit.browser.follow(press % "d")
    assert visit.browser.ask("location.pathname") == "/desk/deliveries"
    visit.browser.ask(press % "j")
    assert visit.browser.ask("document.activeElement.closest('[data-row]') !== null")
    visit.open("/keys")
    visit.browser.ask("document.querySelector('[data-keys]').click();0")
    visit.browser.ask(press % "h")
    assert visit.browser.ask("document.activeElement.matches('[data-hold]')") is False
    visit.browser.ask("document.querySelector('[data-keys]').click();0")


def test_a_text_is_shown_as_its_network_would_while_somebody_writes(visit: Visit) -> None:
    browser = visit.browser
    visit.open("/briefs/borrowed-clock")
    browser.ask(
        "(t => { t.value = 'Nobody lent it.'; t.dispatchEvent(new Event('input', {bubbles: true})); })(document.querySelector('#t-x'));0"
    )
    shown = "document.querySelector('#post-x [data-tried]').innerText"
    waited = f"new Promise(done => {{ const look = n => {shown}.includes('Nobody lent it.') || !n ? done({shown}) : setTimeout(look, 50, n - 1); look(200); }})"
    assert "Nothing is saved" in browser.ask(waited)
    assert browser.ask("location.pathname") == "/desk/briefs/borrowed-clock"
    assert not visit.rows("SELECT key FROM item WHERE front LIKE '%Nobody lent it%'")
    assert visit.complaints() == []


def test_every_page_can_be_read_by_everybody(visit: Visit) -> None:
    browser = visit.browser
    visit.open("")
    click(browser, ".halt form button.stop")  # so that there is something to release
    for path in PAGES:
        browser.look(1600)
        visit.open(path)
        for width, dark in ((1600, False), (768, False), (320, True)):
            browser.look(width, dark=dark)
            assert browser.ask(WIDE) == [], (path, width)
            assert browser.ask(SMALL) == [], (path, width)
            assert width == 768 or axe.violations(browser) == [], (path, width)
    assert visit.complaints() == []


def test_what_moves_renews_itself_and_can_be_paused(visit: Visit) -> None:
    visit.browser.look(1440)
    visit.open("")
    again = "fetch(document.querySelector('[data-live]').dataset.live).then(answer => answer.text()).then(text => text.includes('The day, slot by slot'))"
    assert visit.browser.ask(again)
    visit.browser.ask("document.querySelector('[data-pause]').click();0")
    assert visit.browser.ask("document.querySelector('[data-pause]').innerText") == "Resume updates"
    visit.open("")
    assert visit.browser.ask("document.querySelector('[data-pause]').innerText") == "Resume updates"
    assert visit.complaints() == []
