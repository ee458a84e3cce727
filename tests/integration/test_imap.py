"""A mailbox on an IMAP server is read and stays as it is: with Debian's dovecot where it is installed, and with a strict fake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mailboxes
import returned
from publication import SETTINGS, Publication
from syndicate import links
from syndicate.config.returns import ImapSettings
from syndicate.errors import Unreachable
from syndicate.publish import mailbox, returns
from syndicate.returns import imap
from syndicate.returns.imap import Mailbox, Mark
from syndicate.returns.reading import Report

FOREIGN = b"From: a@b.example\r\nTo: bounces@test.example\r\nSubject: Hello\r\n\r\nNothing of yours.\r\n"


@pytest.fixture(scope="module", params=mailboxes.KINDS)
def box(request: pytest.FixtureRequest) -> Iterator[mailboxes.Box]:
    with mailboxes.KINDS[request.param]() as made:
        yield made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "_WITHIN", 1.0)


def settings(port: int, **more: str) -> ImapSettings:
    return ImapSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "tls": "none", "username": mailboxes.USER, "password": mailboxes.PASSWORD, **more}
    )


def bounce(app_keys: dict[int, bytes]) -> bytes:
    mark = links.sign_return(links.ReturnToken(sending=5, place=6), app_keys)
    fields = returned.status_part("failed", "5.1.1", "550 5.1.1 user unknown")
    return returned.report("It failed.", fields, "", to=f"bounces+{mark}@test.example").replace(b"\n", b"\r\n")


def test_a_mailbox_is_read_once_and_nothing_in_it_is_marked_or_moved(
    box: mailboxes.Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = Publication(root=tmp_path / "letter", settings=SETTINGS)
    taken: list[Report] = []
    with letter.opened("2026-11-23 08:00") as app:
        keys = dict(app.token_keys)
        data = bounce(keys)
        for mail in (FOREIGN, data, FOREIGN):
            box.put(mail)

        def take(app: object, report: Report, now: object) -> returns.Outcome:
            taken.append(report)
            return returns.Outcome(known=report.ours)

        monkeypatch.setattr(returns, "take", take)
        asked = settings(box.port)
        assert mailbox._imap(app, asked, lambda: False) == 1
        assert [str(one.kind) for one in taken] == ["foreign", "hard", "foreign"]
        assert mailbox._imap(app, asked, lambda: False) == 0
        box.put(data)
        assert mailbox._imap(app, asked, lambda: False) == 1
        assert len(taken) == 4
        assert (box.count(), box.marks(), box.wrong) == (4, [], [])
        moving = settings(box.port, move_to="Read")
        box.put(data)
        box.put(FOREIGN)
        assert mailbox._imap(app, moving, lambda: False) == 1
    assert (box.count(), box.count("Read"), box.wrong) == (5, 1, [])
    assert not {"S", "T", "D"} & set(box.marks())


def test_another_uidvalidity_means_that_all_is_read_anew(box: mailboxes.Box) -> None:
    with Mailbox(settings(box.port)) as opened:
        whole = [mark for mark, _ in opened.mails(Mark(validity=1, uid=10**6))]
        last = whole[-1]
        assert len(whole) == box.count()
        assert list(opened.mails(last)) == []
        assert [data for _, data in opened.mails(Mark(validity=last.validity, uid=last.uid - 1))] == [FOREIGN]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"password": "wrong"}, "refused the sign-in"),
        ({"folder": "No such"}, "broke off"),
        ({"tls": "implicit"}, "cannot be reached"),
    ],
)
def test_what_is_wrong_is_told_without_the_password(box: mailboxes.Box, more: dict[str, str], words: str) -> None:
    asked = settings(box.port, **more)
    with pytest.raises(Unreachable, match=words) as told, Mailbox(asked) as opened:
        list(opened.mails(Mark()))
    assert told.value.advice
    assert mailboxes.PASSWORD not in f"{told.value}{told.value.advice}"


def test_a_folder_that_cannot_be_moved_to_is_told(box: mailboxes.Box) -> None:
    box.put(FOREIGN)
    with Mailbox(settings(box.port)) as opened:
        marks = [mark.uid for mark, _ in opened.mails(Mark())]
        with pytest.raises(Unreachable, match="could not be moved"):
            opened.move(marks, "Nowhere at all")
