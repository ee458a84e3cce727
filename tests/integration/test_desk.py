"""What the desk's pages say and do: stop, let go, settle, find; and what they never show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atdesk import Client, desk, hire, light_hashes, signed_in  # noqa: F401 - the last but one is for all tests
from publication import SETTINGS, SOCIAL, Publication, instant
from syndicate.app import App, open_app
from syndicate.model import Frequency, State
from syndicate.publish.tick import tick
from syndicate.runtime import Runtime
from syndicate.store import audit, register
from syndicate.store.register import Filter
from syndicate.store.subscribers import Wishes
from syndicate.web.server import Serving

BEGIN, NOW = "2026-11-23 04:00", "2026-11-23 09:00"
WORDS = "You shall hand over your lamps and ask nobody why the harbour is dark tonight"


@dataclass(kw_only=True)
class Day:
    """A publication at nine on a Monday, with the desk served."""

    app: App
    here: Serving
    mara: Client

    def state(self, delivery: str) -> str:
        sending, place = delivery.split(".")
        with self.app.store.read() as connection:
            query = f"SELECT state FROM delivery WHERE sending = {int(sending)} AND place = {int(place)}"
            return str(connection.exec_driver_sql(query).scalar_one())

    def spoil(self, kind: str, state: State, *, most: int = 1) -> list[str]:
        """Let some deliveries have gone another way; the books stay right."""

        def work(connection: object) -> list[str]:
            run = connection.exec_driver_sql  # type: ignore[attr-defined]
            rows = run(
                "SELECT d.sending, d.place, d.state, p.kind FROM delivery d JOIN place p ON p.key = d.place "
                "JOIN sending s ON s.key = d.sending WHERE s.kind = ? ORDER BY d.sending, d.place LIMIT ?",
                (kind, most),
            ).all()
            for row in rows:
                run("UPDATE delivery SET state = ?, intent_at = 1 WHERE sending = ? AND place = ?", (state, row[0], row[1]))
                run("UPDATE tally SET n = n - 1 WHERE sending = ? AND state = ? AND place_kind = ?", (row[0], row[2], row[3]))
                run("INSERT INTO tally VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1", (row[0], row[3], state))
                run(
                    "INSERT INTO attempt (sending, place, at, outcome, code, detail) VALUES (?, ?, 2, ?, 'cut', 'no answer')",
                    (row[0], row[1], state),
                )
            return [f"{row[0]}.{row[1]}" for row in rows]

        return self.app.store.write(work)

    def acts(self) -> list[tuple[str, str, str]]:
        with self.app.store.read() as connection:
            return [(line.who, line.act, line.subject) for line in audit.lines(connection)]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What had left at nine on that Monday."""
    made = Publication(root=tmp_path_factory.mktemp("desk") / "publication", settings=SETTINGS + SOCIAL)
    made.begin(BEGIN)
    made.subscribe(BEGIN, ada=Wishes(), bo=Wishes(frequency=Frequency.INSTANT), cy=Wishes(frequency=Frequency.WEEKLY))
    made.brief("lamps", "2026-11-23T05:00:00Z", title="Lamps of the lower town")
    ahead = {"status": "embargoed", "embargo": "2026-11-23T12:00:00Z"}
    made.brief("weirs", "2026-11-23T12:00:00Z", title="Weirs and their keepers", **ahead)
    made.quote("record-one", WORDS)
    for at in ("2026-11-23 05:00:05", "2026-11-23 07:00:05"):
        made.run(at)
    return made.root


@pytest.fixture
def day(written: Path, tmp_path: Path) -> Iterator[Day]:
    root = shutil.copytree(written, tmp_path / "publication")
    with open_app(root, at=instant(NOW), environ={}) as app:
        hire(app, "Mara")
        with desk(app) as here:
            yield Day(app=app, here=here, mara=signed_in(here, "Mara"))


def text(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_a_calm_day_shows_what_left_and_what_comes(day: Day) -> None:
    said = text(day.mara.look())
    assert "Lamps of the lower town" in said
    assert "Quote of the day, record-one" in said
    assert re.search(r"13:00 Weirs and their keepers embargo until 13:00:00", said)
    assert "Needs you: 1 No quote can run on Tuesday 24 November." in said
    assert "Needs you" not in text(day.mara.look("/editions"))
    assert said.index("Lamps of the lower town") < said.index("10:00 now") < said.index("Weirs and their keepers")


def test_no_page_shows_words_or_addresses(day: Day) -> None:
    day.spoil("post", State.UNCERTAIN)
    day.spoil("edition", State.FAILED)
    pages = {
        path: day.mara.look(path) for path in ("", "/live", "/editions", "/editions/1", "/deliveries", "/settings", "/keys")
    }
    for path, page in pages.items():
        assert "readers.example" not in page, path
        for run in ("hand over your lamps", "nobody why the harbour", "harbour is dark tonight"):
            assert run not in page, path


def test_one_click_holds_and_the_alert_wants_a_reason(day: Day) -> None:
    page = day.mara.act("/hold")
    assert "no reason is written yet" in text(page)
    assert [(hold.target, hold.who) for hold in day.app.holds.list()] == [("all", "Mara")]
    tick(day.app, instant("2026-11-23 12:00:05"))
    Runtime(day.app).drain()
    assert day.app.books.open_by_channel() == {}  # what came due was cancelled, nothing left
    said = text(day.mara.act("/hold/reason", {"target": "all", "reason": "we check a source"}))
    day.mara.act("/hold")  # pressed again, by somebody whose page is older: the reason stays
    assert [hold.reason for hold in day.app.holds.list()] == ["we check a source"]
    assert "Everything is on hold: we check a source." in said
    assert ("Mara", "hold", "all") in day.acts()


def test_one_thing_is_held_by_its_name_and_with_a_reason(day: Day) -> None:
    assert "the reason is missing" in day.mara.act("/hold/one", {"target": "x"}, status=409).lower()
    assert "nothing here is called" in day.mara.act("/hold/one", {"target": "evil", "reason": "a"}, status=409).lower()
    assert "x is on hold: too loud" in text(day.mara.act("/hold/one", {"target": "x", "reason": "too loud"}))
    day.mara.act("/hold/one", {"target": "edition:1", "reason": "its lead is wrong"})
    assert [hold.target for hold in day.app.holds.list()] == ["edition:1", "x"]


def test_a_release_asks_for_each_rest_and_has_no_default(day: Day) -> None:
    (waits,) = day.spoil("edition", State.PENDING)
    day.app.store.write(lambda connection: connection.exec_driver_sql("UPDATE sending SET state = 'open'").close())
    day.mara.act("/hold")
    page = day.mara.look("/release?target=all")
    name = re.search(r'name="(edition:\d+)" value="continue"', page)
    assert name
    assert " checked" not in page
    for answers in ({}, {name[1]: "perhaps"}):
        said = text(day.mara.act("/release", {"target": "all", **answers}, status=422))
        assert "Nothing was released" in said
    assert [hold.target for hold in day.app.holds.list()] == ["all"]
    day.mara.act("/release", {"target": "all", name[1]: "cancel"})
    assert (day.app.holds.list(), day.state(waits)) == ([], "cancelled")
    assert "is not on hold" in day.mara.act("/release", {"target": "all"}, status=409)


def test_an_uncertain_delivery_is_settled_by_a_person_and_once(day: Day) -> None:
    one, two, three = day.spoil("post", State.UNCERTAIN, most=3)
    page = day.mara.look("/deliveries")
    assert "3 need your word" in text(page)
    assert 'class="go"' not in page  # no button is primary: the machine does not know
    for delivery, word, state in ((one, "sent", "sent"), (two, "again", "pending"), (three, "drop", "cancelled")):
        day.mara.act("/deliveries/settle", {"id": delivery, "word": word})
        assert day.state(delivery) == state
        assert ("Mara", "settle", delivery) in day.acts()
    assert "neither uncertain nor failed" in day.mara.act("/deliveries/settle", {"id": one, "word": "drop"}, status=409)
    for wrong in ({"id": "1", "word": "sent"}, {"id": "1.²", "word": "sent"}, {"id": one, "word": "open"}, {}):
        day.mara.act("/deliveries/settle", wrong, status=409)
    assert day.app.books.recount() == []


def test_a_failed_one_is_tried_again_one_at_a_time(day: Day) -> None:
    (failed,) = day.spoil("edition", State.FAILED)
    assert "was refused" in text(day.mara.look())
    assert f'value="{failed}"' in day.mara.look("/deliveries?state=failed")
    day.mara.act("/deliveries/retry", {"id": failed})
    assert day.state(failed) == "pending"
    assert "was refused" not in text(day.mara.look())


def test_pages_of_the_register_follow_each_other_without_a_gap(day: Day) -> None:
    with day.app.store.read() as connection:
        whole = register.page(connection, Filter(), None, limit=1000)
        assert len(whole) == sum(balance.audience for balance in day.app.books.totals().values())
        for wanted in (Filter(), Filter(state=State.SENT), Filter(channel="mail"), Filter(since=instant("2026-11-23 05:30"))):
            expected = [
                one.id
                for one in whole
                if wanted.state in {None, one.state} and wanted.channel in {"", one.channel}
                and (wanted.since is None or register.about(connection, [one])[one.sending].due >= wanted.since)
            ]  # fmt: skip
            found: list[str] = []
            after = None
            while part := register.page(connection, wanted, after, limit=2):
                found += [one.id for one in part]
                after = (part[-1].sending, part[-1].place)
            assert found == expected
            assert found


def test_the_filter_tells_what_it_does_not_understand(day: Day) -> None:
    said = text(day.mara.look("/deliveries?state=lost&from=tomorrow&after=x&sending=999"))
    assert "There is no state" in said
    assert "is no day" in said
    assert "No delivery matches" in said


def test_a_person_is_explained_on_request_and_it_is_written_down(day: Day) -> None:
    with day.app.store.read() as connection:
        key = connection.exec_driver_sql("SELECT key FROM edition WHERE frequency = 'weekly'").scalar_one()
    for name, answer in (
        ("ADA", "No. It was not owed to this person"),
        ("cy", "Yes. The receiving server took it."),
        ("eve", "Nobody with this address is known here."),
    ):
        page = day.mara.act("/deliveries/explain", {"address": f"{name}@readers.example", "edition": str(key)})
        assert answer in text(page)
        with day.app.store.read() as connection:
            line = audit.lines(connection, limit=1)[0]
        assert (line.who, line.act, line.subject) == ("Mara", "explain", f"edition:{key}")
        assert "readers.example" not in str(line)
    assert "@ is missing" in day.mara.act("/deliveries/explain", {"address": "cy", "edition": str(key)}, status=409)


def test_an_edition_shows_its_books_and_no_small_domain(day: Day) -> None:
    said = text(day.mara.look("/editions/1"))
    assert re.search(r"audience (\d+) sent \1 failed 0 suppressed 0 uncertain 0 cancelled 0 open 0", said)
    assert "1 small domain" in said
    assert re.search(r"open 0 recounted \d\d:\d\d:\d\d books balance", said)
    assert "There is no such edition" in day.mara.get("/desk/editions/99").text


def test_books_that_do_not_balance_are_told_and_not_called_balanced(day: Day) -> None:
    assert "books balance" in day.mara.look("/editions/1")
    day.app.store.write(
        lambda connection: connection.exec_driver_sql(
            "UPDATE tally SET n = n + 2 WHERE state = 'sent' AND sending IN (SELECT key FROM sending WHERE kind = 'edition' AND subject = '1')"
        )
    )
    said = text(day.mara.look("/editions/1"))
    for _ in range(200):
        if "not checked yet" not in said:
            break
        said = text(day.mara.look("/editions/1"))
    assert "books differ" in said
    assert "books balance" not in said
    assert re.search(r"sent: 3 tallied, 1 rows\. Run syndicate db check", said)


def test_settings_show_no_secret(day: Day) -> None:
    day.app.settings.channels["mail"]["password"] = "the-heron-key"
    day.app.settings.channels["mail"]["username"] = "letterbox"
    page = day.mara.look("/settings")
    assert "letterbox" in page
    assert "set, not shown" in page
    assert "the-heron-key" not in page
    day.mara.act("/settings/doctor", {"channel": "mail"})
    assert re.search(r"mail outbox mail, on this machine .{0,40}(ok|not ok)", text(day.mara.look("/settings")))


def test_a_number_that_no_edition_has_is_no_fault_of_ours(day: Day) -> None:
    for number in ("0", "9" * 30):
        assert day.mara.get(f"/desk/editions/{number}").status_code == 404
        assert (
            "nothing here is called"
            in day.mara.act("/hold/one", {"target": f"edition:{number}", "reason": "x"}, status=409).lower()
        )


def test_a_faulty_page_is_told_without_its_inside(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    from syndicate.store import board

    def broken(*_: object, **__: object) -> None:
        msg = "secret inside"
        raise KeyError(msg)

    monkeypatch.setattr(board, "day", broken)
    answer = day.mara.get("/desk")
    assert answer.status_code == 500
    assert "secret inside" not in answer.text
    assert "Something is out of order" in answer.text
