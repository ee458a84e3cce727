"""What comes back takes effect: suppression at once, doubts settled, an edition that stops itself; and nothing by a forged report."""

from __future__ import annotations

import email
import email.policy
import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import returned
from publication import SETTINGS, Publication, instant
from syndicate import cli, links
from syndicate.app import App
from syndicate.model import Frequency, State
from syndicate.press import Press
from syndicate.publish import mailbox, returns
from syndicate.store import erasure
from syndicate.store.database import Connection
from syndicate.store.marks import claim, put
from syndicate.store.returns import Came, Returns
from syndicate.store.subscribers import Wishes

WITH_RETURNS = f'{SETTINGS}\n[returns]\naddress = "bounces@test.example"\nmaildir = "var/bounces"\n'
BEGIN, DUE, AFTER = "2026-11-22 12:00", "2026-11-23 06:00", "2026-11-23 08:00"
Maker = Callable[[str], bytes]
MARK = re.compile(r"\.([a-z2-7]{32})@")


NAMES = ("ann", "ben", "cleo", "dan")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A publication that has sent one daily edition to four readers; each test gets a copy."""
    letter = Publication(root=tmp_path_factory.mktemp("made") / "letter", settings=WITH_RETURNS)
    letter.begin(BEGIN)
    letter.subscribe(BEGIN, **dict.fromkeys(NAMES, Wishes(frequency=Frequency.DAILY)))
    letter.brief("news", "2026-11-22T18:00:00+00:00")
    letter.run(DUE)
    return letter.root


@dataclass(kw_only=True)
class Copied(Publication):
    """A copy of a folder that is laid out already."""

    def __post_init__(self) -> None:
        """Leave it as it is."""


@pytest.fixture
def letter(made: Path, tmp_path: Path) -> Publication:
    shutil.copytree(made, tmp_path / "letter")
    return Copied(root=tmp_path / "letter")


def tokens(letter: Publication) -> dict[str, str]:
    """The signed token of each reader's mail."""
    found = {}
    for path in letter.outbox():
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        match = MARK.search(str(mail["Message-ID"]))
        assert match
        found[str(mail["To"]).rpartition("<")[2].partition("@")[0]] = match[1]
    return found


def bounce(mark: str, status: str = "5.1.1", said: str = "550 5.1.1 user unknown", action: str = "failed") -> bytes:
    return returned.report("It failed.", returned.status_part(action, status, said), "", to=f"bounces+{mark}@test.example")


def complaint(mark: str) -> bytes:
    return returned.report(
        "A complaint.", "Feedback-Type: abuse\nVersion: 1\n", returned.original(mark), to="abuse@test.example",
        status_type="message/feedback-report", kind="multipart/report; report-type=feedback-report",
    )  # fmt: skip


def states(app: App) -> dict[str, str]:
    return {one.address.partition("@")[0]: one.state for one in app.subscribers.listed()}


def take(app: App, data: bytes) -> str:
    outcome = returns.take_mail(app, data, app.now())[1]
    returns.follow_up(app, app.now())
    return outcome.suppressed


def test_each_mail_leaves_with_a_return_path_of_its_own_that_a_retry_repeats(letter: Publication) -> None:
    marks = tokens(letter)
    assert set(marks) == set(NAMES)
    assert len(set(marks.values())) == len(NAMES)
    with letter.opened(AFTER) as app:
        for mark in marks.values():
            token = links.verify_return(mark, app.token_keys)
            assert token is not None
            assert links.sign_return(token, app.token_keys) == mark


@pytest.mark.parametrize(("make", "why"), [(bounce, "hard bounce 5.1.1 (no such mailbox)"), (complaint, "complaint")])
def test_a_hard_bounce_or_a_complaint_suppresses_at_once_and_for_every_newsletter(
    letter: Publication, make: Maker, why: str
) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        assert take(app, make(marks["ann"])) == why
        assert take(app, make(marks["ann"])) == ""  # the same once more changes nothing
        assert states(app) == {"ann": "suppressed", "ben": "active", "cleo": "active", "dan": "active"}
        with pytest.raises(ValueError, match="suppression list"):
            app.subscribers.add("Ann@Readers.example", "other", Wishes(), at=app.now(), covered_to=app.now(), consent={})
        assert sum(one.n for one in Returns(app.store).breakdown(1)) == 1


def test_what_is_due_to_a_reader_is_suppressed_in_the_same_moment(letter: Publication) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        app.store.write(lambda c: c.exec_driver_sql("UPDATE delivery SET state = 'pending'").close())
        app.store.write(lambda c: c.exec_driver_sql("UPDATE sending SET state = 'open'").close())
        app.store.write(lambda c: c.exec_driver_sql("UPDATE tally SET n = (state = 'pending') * 4").close())
        take(app, bounce(marks["ann"]))
        assert app.books.balance("edition", "1").states == {State.PENDING: 3, State.SUPPRESSED: 1}
        assert not app.books.recount()


def test_soft_bounces_suppress_after_three_messages_in_fifteen_days_and_not_before(letter: Publication) -> None:
    with letter.opened(AFTER) as app:
        first = links.verify_return(tokens(letter)["ann"], app.token_keys)
        assert first
        marks = []
        for number in range(1, 6):  # five more sendings of the same edition

            def work(c: Connection, number: int = number) -> None:
                c.exec_driver_sql(
                    "INSERT INTO sending (key, kind, subject, slot, newsletter, targets, due, state) SELECT key + ?, kind, subject, ?, "
                    "newsletter, targets, due, state FROM sending WHERE key = ?",
                    (number * 100, number * 100, first.sending),
                )
                c.exec_driver_sql(
                    "INSERT INTO delivery (sending, place, channel, variant, state, not_before) SELECT sending + ?, place, channel, variant, "
                    "state, not_before FROM delivery WHERE sending = ? AND place = ?",
                    (number * 100, first.sending, first.place),
                )

            app.store.write(work)
            token = links.ReturnToken(sending=first.sending + number * 100, place=first.place)
            marks.append(links.sign_return(token, app.token_keys))
    with letter.opened("2026-11-23 06:30") as app:
        for mark, words in zip(
            marks, ("550 5.7.1 blocked", "552 5.3.4 too large", "554 5.6.0 no", "550 5.1.8 sender address"), strict=False
        ):
            assert take(app, bounce(mark, words[4:9], words)) == ""  # about us, and not about the address
        assert states(app)["ann"] == "active"
        app.store.write(lambda c: c.exec_driver_sql("DELETE FROM returned").close())
    full = ("5.2.2", "552 5.2.2 mailbox full")
    told = []
    for at, mark in (("2026-11-23 07:00", marks[0]), ("2026-11-24 07:00", marks[1]), ("2026-12-09 07:01", marks[2])):
        with letter.opened(at) as app:
            told += [take(app, bounce(mark, *full)), take(app, bounce(mark, *full))]  # the same message counts once
    assert told == [""] * 6  # the first two are older than fifteen days by then
    with letter.opened("2026-12-10 07:00") as app:
        assert take(app, bounce(marks[3], *full)) == ""
        assert take(app, bounce(marks[4], *full)) == "3 soft bounces in 15 days"
        assert states(app)["ann"] == "suppressed"


def test_answers_forged_and_foreign_reports_suppress_nobody(letter: Publication) -> None:
    marks = tokens(letter)
    away = (
        f"From: ann@readers.example\nTo: bounces+{marks['ann']}@test.example\nAuto-Submitted: auto-replied\n\nUser unknown.\n"
    )
    with letter.opened(AFTER) as app:
        ours = links.verify_return(marks["ann"], app.token_keys)
        assert ours is not None
        strangers = dict.fromkeys(app.token_keys, b"stranger" * 4)
        never = links.sign_return(links.ReturnToken(sending=ours.sending + 100, place=ours.place), app.token_keys)
        for data in (
            away.encode(), bounce(links.sign_return(ours, strangers)), complaint(links.sign_return(ours, strangers)),
            bounce(never), complaint(never), bounce(marks["ann"], action="delayed"), bounce(marks["ann"], action="delivered"),
        ):  # fmt: skip
            assert take(app, data) == ""
        assert states(app)["ann"] == "active"
        kinds = {one.kind for one in Returns(app.store).breakdown(1)}
    assert kinds == {"delayed", "delivered"}


def test_a_reader_who_has_agreed_since_then_is_not_suppressed_by_an_old_mail(letter: Publication) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        app.store.write(lambda c: c.exec_driver_sql("UPDATE subscription SET since = ?", (2_000_000_000_000_000,)).close())
        assert take(app, bounce(marks["ann"])) == ""
        assert states(app)["ann"] == "active"


def test_only_noting_is_a_setting(letter: Publication) -> None:
    with (letter.root / "config/syndicate.toml").open("a") as file:
        file.write('on_hard = "note"\non_complaint = "note"\n')
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        assert (take(app, bounce(marks["ann"])), take(app, complaint(marks["ann"]))) == ("", "")
        assert states(app)["ann"] == "active"
        assert {one.kind for place in range(10) for one in Returns(app.store).of_reader(place)} == {"hard", "complaint"}


@pytest.mark.parametrize(("make", "state"), [(bounce, State.FAILED), (complaint, State.SENT)])
def test_a_report_settles_an_uncertain_delivery(letter: Publication, make: Maker, state: State) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        token = links.verify_return(marks["ann"], app.token_keys)
        assert token
        app.store.write(lambda c: c.exec_driver_sql("UPDATE delivery SET state = 'uncertain' WHERE state = 'sent'").close())
        app.store.write(lambda c: c.exec_driver_sql("UPDATE tally SET state = 'uncertain' WHERE state = 'sent'").close())
        take(app, make(marks["ann"]))
        (line,) = app.books.lines(state=state)
        assert line.detail.startswith("It")
        assert not app.books.recount()


def test_a_server_that_says_at_once_that_there_is_no_such_address_counts(letter: Publication) -> None:
    marks = tokens(letter)
    said = {
        "ann": ("5.1.1", "The server refused the recipient: 550 5.1.1 user unknown"),
        "ben": ("5.7.1", "The server refused the message: 550 5.7.1 blocked"),
        "cleo": ("5.1.8", "The server refused the recipient: 550 5.1.8 sender address rejected"),
        "dan": ("550", "The server refused the recipient: 550 no"),
    }
    with letter.opened(AFTER) as app:
        for name, (code, words) in said.items():
            token = links.verify_return(marks[name], app.token_keys)
            assert token
            app.store.write(
                lambda c, token=token, code=code, words=words: c.exec_driver_sql(
                    "INSERT INTO attempt (sending, place, at, outcome, code, detail) VALUES (?, ?, 0, 'failed', ?, ?)",
                    (token.sending, token.place, code, words),
                ).close()
            )
        returns.follow_up(app, app.now())
        returns.follow_up(app, app.now())
        assert states(app) == {"ann": "suppressed", "ben": "active", "cleo": "active", "dan": "active"}
        assert {(one.kind, one.reason) for one in Returns(app.store).breakdown(1)} == {
            ("hard", "no such mailbox"),
            ("soft", "blocked"),
        }


# -- the brake ----------------------------------------------------------------------------------
def braked(app: App, kind: str, reports: int, messages: int) -> str:
    """The holds on an edition that is being sent, with so many messages and reports in the books."""

    def work(c: Connection) -> None:
        c.exec_driver_sql("UPDATE edition SET state = 'sending'")
        c.exec_driver_sql("UPDATE tally SET n = ? WHERE state = 'sent'", (messages,))
        c.exec_driver_sql("DELETE FROM returned")
        rows = [(1000 + place, kind) for place in range(reports)]
        c.exec_driver_sql("INSERT INTO returned (sending, place, kind, at, edition) VALUES (1, ?, ?, 0, 1)", rows)

    app.store.write(work)
    returns.follow_up(app, app.now())
    return " ".join(f"{hold.target}: {hold.reason}" for hold in app.holds.list())


def test_an_edition_stops_itself_where_too_much_comes_back_until_a_person_lets_it_go_on(letter: Publication) -> None:
    with letter.opened(AFTER) as app:
        for kind, reports, messages in (
            ("complaint", 2, 3), ("complaint", 3, 1001), ("hard", 1, 3), ("hard", 49, 1000), ("soft", 500, 1000)
        ):  # fmt: skip
            assert not braked(app, kind, reports, messages), (kind, reports)
        told = braked(app, "hard", 50, 1000)
        assert re.search(
            r"edition:1: 50 of 1000 messages \(5 %\) bounced for good, .* `syndicate release edition:1` lets it go on", told
        )
        app.holds.lift("edition:1", who="test", now=app.now(), detail={})
        assert not braked(app, "hard", 90, 1000)  # the person knew
        assert "3 of 1000 messages (0.3 %) led to a complaint" in braked(app, "complaint", 3, 1000)


# -- memory -------------------------------------------------------------------------------------
def test_single_readers_are_forgotten_with_the_details_and_the_numbers_stay(letter: Publication) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        take(app, bounce(marks["ann"]))
        take(app, complaint(marks["ben"]))
        assert {one.domain for one in Returns(app.store).breakdown(1)} == {"readers.example"}
    with letter.opened("2027-02-25 07:00") as app:
        app.ledger.forget(instant("2026-11-24 00:00"))
        returns.follow_up(app, app.now())
        shelf = Returns(app.store)
        assert [(one.kind, one.domain, one.n) for one in shelf.breakdown(1)] == [("complaint", "", 1), ("hard", "", 1)]
        assert take(app, bounce(marks["ben"])) == ""  # an old report on a forgotten mail means nothing any more
        assert not any(shelf.of_reader(place) for place in range(10))


def test_where_only_the_link_to_leave_survived_the_newest_mail_is_meant(letter: Publication) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        token = links.verify_return(marks["ann"], app.token_keys)
        assert token
        leave = links.sign(links.ReaderToken(subscriber=token.place, newsletter=1), app.token_keys)
        data = complaint("a" * 32).replace(b"Message-ID", f"List-Unsubscribe: <https://test.example/u/{leave}>\nX-Id".encode())
        assert take(app, data) == "complaint"
        assert Returns(app.store).breakdown(1)[0].kind == "complaint"
        assert (
            not Returns(app.store).take(Came(sending=0, place=999, kind="hard"), rules=returns._rules(app), now=app.now()).known
        )


# -- doors --------------------------------------------------------------------------------------
def filled(letter: Publication, mails: dict[str, bytes]) -> Path:
    folder = letter.root / "var/bounces"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, data in mails.items():
        (folder / name).write_bytes(data)
    return folder


def listing(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_maildir_is_read_once_and_left_as_it_is(letter: Publication) -> None:
    marks = tokens(letter)
    folder = filled(
        letter, {"new/1.a": bounce(marks["ann"]), "cur/2.b:2,S": complaint(marks["ben"]), "new/3.c": b"From: x@y.example\n\nHello\n", "tmp/4.d": bounce(marks["cleo"])}
    )  # fmt: skip
    before = listing(folder)
    with letter.opened(AFTER) as app:
        assert mailbox.fetch(app) == 2
        assert states(app) == {"ann": "suppressed", "ben": "suppressed", "cleo": "active", "dan": "active"}
        assert mailbox.fetch(app) == 0
    assert listing(folder) == before
    (folder / "new/1.a").rename(folder / "cur/1.a:2,RS")  # somebody looks at it: it is the same mail
    (folder / "new/5.e").write_bytes(bounce(marks["cleo"]))
    with letter.opened("2026-11-23 08:04") as app:
        assert mailbox.poll(app) == 1
        assert mailbox.poll(app) == 0
        (folder / "new/6.f").write_bytes(bounce(marks["cleo"], "5.2.2", "full"))
        assert mailbox.poll(app) == 0  # it is not time yet
    with letter.opened("2026-11-23 08:10") as app:
        assert mailbox.poll(app) == 1


def test_a_run_looks_into_the_mailbox_and_a_copy_does_not(letter: Publication, tmp_path: Path) -> None:
    marks = tokens(letter)
    filled(letter, {"new/1.a": bounce(marks["ann"])})
    with letter.opened(AFTER) as app:
        app.store.write(lambda connection: put(connection, "copied", "1"))
        Press(app, environ={"HOME": str(tmp_path)}).once()
        assert states(app)["ann"] == "active"
        claim(app.store, app.var, environ={"HOME": str(tmp_path)}, who="test", now=app.now())
        Press(app, environ={"HOME": str(tmp_path)}).once()
        assert states(app)["ann"] == "suppressed"


def test_a_maildir_that_is_not_there_is_told_and_stops_nothing(letter: Publication) -> None:
    with letter.opened(AFTER) as app:
        assert mailbox.poll(app) == 0


class _Pipe:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.fixture
def here(letter: Publication) -> list[str]:
    return ["-C", str(letter.root)]


def test_the_pipe_takes_every_mail_and_says_what_it_was(
    letter: Publication, here: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = tokens(letter)
    said = []
    for data in (bounce(marks["ann"], "4.2.2", "full"), bounce(marks["ann"]), bounce(marks["ann"]), b"", b"\0" * 100):
        monkeypatch.setattr("sys.stdin", _Pipe(data))
        assert cli.main([*here, "bounces", "read"]) == 0
        said.append(capsys.readouterr().out.strip())
    assert said[0] == "a soft bounce 4.2.2 (mailbox full): recorded"
    assert said[1].startswith("a hard bounce 5.1.1 (no such mailbox): the reader gets no more mail")
    assert said[2].endswith("known already")
    assert said[3:] == ["nothing of ours"] * 2
    assert cli.main([*here, "editions", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"hard +1 +no such mailbox +readers\.example\nsoft +1 +mailbox full +readers\.example", shown)
    assert "ann" not in shown
    assert cli.main([*here, "editions", "show", "1", "--json"]) == 0
    assert {"kind": "hard", "domain": "readers.example", "reason": "no such mailbox", "n": 1} in json.loads(
        capsys.readouterr().out
    )["returned"]


def test_an_erased_reader_leaves_a_number_and_no_domain(letter: Publication) -> None:
    marks = tokens(letter)
    with letter.opened(AFTER) as app:
        take(app, bounce(marks["ann"]))
        token = links.verify_return(marks["ann"], app.token_keys)
        assert token
        with app.store.read() as connection:
            kept = erasure.record(connection, token.place)
        assert kept
        assert [(one["kind"], one["edition"]) for one in kept["returned"]] == [("hard", 1)]
        app.store.write(lambda connection: erasure.erase(connection, token.place, app.now()))
        assert [(one.kind, one.domain, one.n) for one in Returns(app.store).breakdown(1)] == [("hard", "", 1)]
        assert Returns(app.store).of_reader(token.place) == []


def test_a_pipe_whose_database_is_out_of_order_asks_the_server_to_try_again(
    letter: Publication, here: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (letter.root / "var/syndicate.db").write_bytes(b"no database at all, by far not" * 100)
    monkeypatch.setattr("sys.stdin", _Pipe(b"From: a@b.example\n\n"))
    assert cli.main([*here, "bounces", "read"]) == 75
    assert "database" in capsys.readouterr().err
