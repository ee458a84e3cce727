"""What goes wrong around ``run``: each mishap is one clear line, and what it does not touch works on."""

from __future__ import annotations

import resource
import shutil
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from command import Done, Publication, copied, sample

MINUTE = timedelta(minutes=1)
MAILS = [("daily", "daily"), ("instant", "instant"), ("instant", "quote"), ("weekly", "weekly")]
NETWORKS = ("x", "mastodon", "bluesky")
OUTBOX = '[channels.mail]\nkind = "outbox"\nlike = "smtp"'
RELAY = '[channels.mail]\nkind = "smtp"\nhost = "{host}"\nport = {port}\ntls = "{tls}"'
HTTPS = ("http://127.0.0.1:8000", "https://letter.brackmere.example")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """The sample as ``init`` makes it. Copy it; leave it as it is."""
    return sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture
def letter(made: Publication, tmp_path: Path) -> Publication:
    return copied(made, tmp_path)


def spoken(done: Done) -> Done:
    """Whatever went wrong, nobody sees the inside of the program."""
    assert "Traceback" not in done.said
    assert "internal error" not in done.said
    return done


def largest_file(size: int) -> Callable[[], None]:
    """A disk that takes no more: no file may grow beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def feeds_are_whole(letter: Publication) -> bool:
    return all(
        b"post-fell-silent" in (letter.root / "feeds" / f"briefs.{form}").read_bytes() for form in ("rss", "atom", "json")
    )


# -- what a person wrote ----------------------------------------------------------------------------


def test_a_misspelt_setting_is_named_with_its_line_and_the_nearest(letter: Publication) -> None:
    letter.settings(('schedule = "daily at', 'shedule = "daily at'))
    line = (letter.root / "config/syndicate.toml").read_text(encoding="utf-8").partition("shedule")[0].count("\n") + 1
    done = spoken(letter.run())
    assert (done.code, done.out) == (1, "")
    assert done.line(f"config/syndicate.toml:{line}:", "shedule").endswith("did you mean `schedule`?")
    assert (letter.rendered(), letter.mails()) == ({}, [])


def test_a_brief_that_cannot_be_read_is_named_with_its_line_and_the_rest_goes_on(letter: Publication) -> None:
    broken = letter.root / "content/briefs/borrowed-clock.md"
    broken.write_text(broken.read_text(encoding="utf-8").replace("title: ", "title: [", 1), encoding="utf-8")
    done = spoken(letter.run(letter.minute + MINUTE))
    assert done.code == 1
    assert done.line("content/briefs/borrowed-clock.md:")
    assert letter.mails() == MAILS
    assert feeds_are_whole(letter)


def test_a_broken_template_keeps_the_mail_back_and_nothing_else(letter: Publication) -> None:
    template = letter.root / "templates/email/edition.html.j2"
    kept = template.read_text(encoding="utf-8")
    template.write_text("{% include 'email/nowhere.html.j2' %}", encoding="utf-8")
    done = spoken(letter.run(letter.minute + MINUTE))
    assert done.code == 1
    assert done.line("edition.html.j2")
    assert letter.mails() == []
    assert feeds_are_whole(letter)
    assert [len(letter.posts(name)) for name in NETWORKS] == [2, 2, 2]
    template.write_text(kept, encoding="utf-8")
    assert spoken(letter.run(letter.minute + 2 * MINUTE)).code == 0
    assert letter.mails() == MAILS


# -- the disk ---------------------------------------------------------------------------------------


def test_a_full_disk_loses_and_doubles_nothing(letter: Publication) -> None:
    """The database's journal meets the end of the disk ever later in the run; then there is room again."""
    for number, size in enumerate((65_536, 131_072, 262_144), 1):
        done = spoken(letter.run(letter.minute + number * MINUTE, limits=largest_file(size)))
        assert done.code == 1
        assert "free some space" in done.line("database")
    letter.brief("afterwards", letter.minute + 4 * MINUTE)
    assert spoken(letter.run(letter.minute + 5 * MINUTE)).code == 0
    assert letter.mails() == sorted([*MAILS, ("instant", "instant")])
    for name in NETWORKS:
        assert [item.partition("/")[0] for item in letter.posts(name)] == ["briefs", "briefs", "quotes"]
    assert feeds_are_whole(letter)
    assert letter.command("db", "check").code == 0


def test_one_outbox_that_cannot_be_written_stops_no_other(letter: Publication) -> None:
    blocked = letter.root / "var/outbox/x"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("in the way", encoding="utf-8")
    done = spoken(letter.run(letter.minute + MINUTE))
    assert done.line("delivery_deferred", "channel=x", "The outbox could not be written")
    assert letter.mails() == MAILS
    assert [len(letter.posts(name)) for name in ("mastodon", "bluesky")] == [2, 2]
    assert feeds_are_whole(letter)
    blocked.unlink()
    assert spoken(letter.run(letter.minute + 10 * MINUTE)).code == 0
    assert len(letter.posts("x")) == 2


def test_feeds_that_cannot_be_written_stop_no_mail_and_no_post(letter: Publication) -> None:
    shutil.rmtree(letter.root / "feeds")
    (letter.root / "feeds").write_text("in the way", encoding="utf-8")
    done = spoken(letter.run(letter.minute + MINUTE))
    assert done.code == 1
    assert done.line("feeds/briefs", "could not be written")
    assert letter.mails() == MAILS
    assert [len(letter.posts(name)) for name in NETWORKS] == [2, 2, 2]


# -- the network ------------------------------------------------------------------------------------


def test_a_relay_that_is_down_keeps_the_mail_for_later_and_stops_nothing_else(letter: Publication) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    letter.settings((OUTBOX, RELAY.format(host="127.0.0.1", port=port, tls="none")), HTTPS)
    done = spoken(letter.run(letter.minute + MINUTE))
    assert done.line("delivery_deferred", "channel=mail", "The server could not be reached (Connection refused)")
    assert [len(letter.posts(name)) for name in NETWORKS] == [2, 2, 2]
    assert feeds_are_whole(letter)
    assert done.line("deliveries:") == "deliveries: 4 deferred, 6 sent"


def test_no_pretended_time_where_mail_would_leave_this_machine(letter: Publication) -> None:
    letter.settings((OUTBOX, RELAY.format(host="mail.brackmere.example", port=587, tls="starttls")), HTTPS)
    done = spoken(letter.run(letter.minute + MINUTE))
    assert (done.code, letter.rendered()) == (1, {})
    assert "mail would send to the real world" in done.line("--at")
    assert [letter.posts(name) for name in NETWORKS] == [[], [], []]


def test_a_pretended_time_is_for_one_tick(letter: Publication) -> None:
    done = spoken(letter.command("run", "--at", letter.minute.isoformat()))
    assert (done.code, letter.rendered()) == (2, {})
    assert "--once" in done.line("--at")


# -- copies -----------------------------------------------------------------------------------------


def test_a_backup_restored_in_place_sends_nothing_until_it_is_claimed(letter: Publication, tmp_path: Path) -> None:
    assert letter.run(letter.minute + MINUTE).code == 0
    backup, database = tmp_path / "backup.db", letter.root / "var/syndicate.db"
    assert letter.command("db", "backup", str(backup)).code == 0
    for path in database.parent.glob("syndicate.db*"):
        path.unlink()
    backup.rename(database)
    letter.brief("while-fenced", letter.minute + 2 * MINUTE)
    before = letter.snapshot("var/outbox")
    done = spoken(letter.run(letter.minute + 3 * MINUTE))
    assert done.code == 1
    assert "syndicate claim" in done.line("on hold", "copy made by `db backup`")
    assert letter.snapshot("var/outbox") == before
    assert letter.command("claim").code == 0
    letter.brief("since-then", letter.minute + 4 * MINUTE)
    assert spoken(letter.run(letter.minute + 5 * MINUTE)).code == 0
    assert before.items() <= letter.snapshot("var/outbox").items()
    assert letter.mails() == sorted([*MAILS, ("instant", "instant")])
