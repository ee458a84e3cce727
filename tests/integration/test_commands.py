"""Commands on a real publication in a folder: what they print, write and leave alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from migrated import migrated
from syndicate.app import open_app
from syndicate.cli import init, main, waiting
from syndicate.publish import posts
from syndicate.publish.tick import tick
from syndicate.store.lock import RunLock

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The sample publication after its first tick."""
    target = tmp_path_factory.mktemp("letter") / "sample"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(target.parent))
        assert main(["init", str(target), "--sample"]) == 0
        assert main(["-C", str(target), "run", "--once"]) == 0
        yield target


@pytest.fixture
def say(ran: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["-C", str(ran), *arguments])
        return (code, *capsys.readouterr())

    return run


def documents(say: Say, *arguments: str) -> Any:
    code, out, _ = say(*arguments, "--json")
    assert code == 0
    return json.loads(out)


def tree(folder: Path) -> dict[str, str]:
    """Every file with a digest of its bytes and its time; SQLite's own shared memory apart."""
    return {
        str(path.relative_to(folder)): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal", ".lock"))
    }


def test_the_first_tick_of_a_sample_sends_one_of_each(say: Say) -> None:
    editions = documents(say, "editions", "list")
    assert sorted(edition["frequency"] for edition in editions) == ["daily", "instant", "quote", "weekly"]
    assert all((edition["audience"], edition["sent"], edition["open"]) == (1, 1, 0) for edition in editions)
    posts = documents(say, "posts", "list")
    assert len(posts) == 6
    assert {(post["channel"], post["state"]) for post in posts} == {(name, "sent") for name in ("x", "mastodon", "bluesky")}


def test_looking_changes_nothing_and_no_listing_holds_a_quotes_words(say: Say, ran: Path) -> None:
    words = [path.read_text().rpartition("---")[2].split() for path in (ran / "content" / "quotes").glob("*.md")]
    before = tree(ran)
    for arguments in (
        ["check"],
        ["plan"],
        ["status"],
        ["quotes", "list"],
        ["posts", "list"],
        ["channels", "list"],
        ["deliveries", "list"],
        ["editions", "list"],
        ["db", "check"],
    ):
        code, out, err = say(*arguments)
        assert code == 0, arguments
        for run in words:
            assert " ".join(run[:6]) not in " ".join((out + err).split()), arguments
    assert words
    assert tree(ran) == before


def test_looking_at_a_new_publication_does_not_begin_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "new"
    init.make(target, sample=False, now=datetime.now(UTC))
    for command in ("check", "plan", "status"):
        main(["-C", str(target), command])
        assert not (target / "var").exists(), command
    capsys.readouterr()


def test_a_publication_is_never_overwritten(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(ran)
    assert main(["init", str(ran)]) == 1
    assert "is already there" in capsys.readouterr().err
    assert tree(ran) == before


def test_preview_writes_every_rendering(say: Say, tmp_path: Path) -> None:
    code, out, _ = say("preview", "post-fell-silent", "--out", str(tmp_path), "--json")
    rows = json.loads(out)
    assert code == 0
    assert {path.name for path in tmp_path.iterdir()} == {row["file"] for row in rows}
    assert {
        "feed.rss",
        "feed.atom",
        "feed.json",
        "edition.html",
        "edition.txt",
        "edition.eml",
        "x.txt",
        "mastodon.txt",
        "bluesky.txt",
    } == {row["file"] for row in rows}
    x = next(row for row in rows if row["where"] == "x")
    assert 0 < x["count"] <= x["limit"] == 280
    assert "POST https://" in (tmp_path / "x.txt").read_text()


def test_preview_of_nothing_names_what_there_is(say: Say) -> None:
    code, out, err = say("preview", "post-fell-silennt")
    assert (code, out) == (1, "")
    assert "did you mean 'post-fell-silent'?" in err


def test_plan_tells_the_coming_days_and_their_quotes(say: Say) -> None:
    found = documents(say, "plan", "--days", "3")
    assert {line["what"] for line in found["coming"]} >= {"daily edition", "quote of the day"}
    assert len([day for day in found["quotes"] if day["quote"]]) == 4
    assert len({day["quote"] for day in found["quotes"]}) == 4
    assert "The quote of each day" in say("plan", "--days", "1")[1]


def test_a_faulty_line_stops_no_other_reader_and_importing_again_adds_nobody_twice(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text("address,frequency\nnew1@readers.example,daily\nnew2@readers.example,sometimes\n")
    code, _, err = say("subscribers", "import", str(file))
    assert code == 1
    assert "readers.csv:3: csv: " in err
    assert "1 reader subscribed" in err
    assert len(documents(say, "subscribers", "list")) == 4
    file.write_text("address,frequency\nnew1@readers.example,daily\nnew2@readers.example,weekly\n")
    assert (
        "1 reader would be subscribed to digest; 1 were there before" in say("subscribers", "import", str(file), "--dry-run")[2]
    )
    assert len(documents(say, "subscribers", "list")) == 4
    assert say("subscribers", "import", str(file))[0] == 0
    assert "0 readers subscribed" in say("subscribers", "import", str(file))[2]
    assert len(documents(say, "subscribers", "list")) == 5


def test_a_hold_is_placed_seen_and_lifted(say: Say) -> None:
    assert say("hold", "mastodon", "--reason", "we look into it")[0] == 0
    code, out, _ = say("status")
    assert code == 1
    assert "mastodon is on hold: we look into it" in out
    assert say("release", "mastodon")[0] == 0
    assert say("release", "mastodon")[0] == 1
    assert say("status")[0] == 0


def test_a_test_mail_is_refused_while_everything_is_on_hold(say: Say, ran: Path) -> None:
    before = list((ran / "var" / "outbox").rglob("*"))
    say("hold", "all", "--reason", "stop")
    code, _, err = say("editions", "test", "digest", "--to", "me@example.org")
    say("release", "all")
    assert (code, err) == (1, "syndicate: all is on hold: stop\n")
    assert list((ran / "var" / "outbox").rglob("*")) == before
    assert say("editions", "test", "digest", "--to", "me@example.org")[0] == 0
    assert len(list((ran / "var" / "outbox").rglob("*.eml"))) == 5


def test_nothing_is_sent_by_hand_while_it_is_on_hold(say: Say, ran: Path) -> None:
    before = documents(say, "editions", "list")
    say("hold", "digest", "--reason", "stop")
    code, _, err = say("editions", "send", "digest")
    say("release", "digest")
    assert (code, err) == (1, "syndicate: digest is on hold: stop\n")
    assert documents(say, "editions", "list") == before


def test_a_fenced_copy_is_claimed_and_not_released(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))  # the original is not to know of it
    copy = tmp_path / "copy"
    shutil.copytree(ran, copy, ignore=shutil.ignore_patterns("var"))
    (copy / "var").mkdir()
    assert main(["-C", str(ran), "db", "backup", str(copy / "var" / "syndicate.db")]) == 0
    main(["-C", str(copy), "run", "--once"])
    assert main(["-C", str(copy), "hold", "all", "--reason", "mine"]) == 0
    assert main(["-C", str(copy), "release", "all", "--continue"]) == 1
    assert main(["-C", str(copy), "status"]) == 1
    assert main(["-C", str(copy), "claim"]) == 0
    assert main(["-C", str(copy), "status"]) == 0


def test_a_publication_that_lost_its_database_says_so_until_it_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    init.make(tmp_path / "p", sample=False, now=datetime.now(UTC))
    assert main(["-C", str(tmp_path / "p"), "run", "--once"]) == 0
    shutil.rmtree(tmp_path / "p" / "var")
    assert main(["-C", str(tmp_path / "p"), "status"]) == 1
    assert "1 run of this folder went with a database that is gone" in capsys.readouterr().out
    assert main(["-C", str(tmp_path / "p"), "claim"]) == 0
    assert main(["-C", str(tmp_path / "p"), "status"]) == 0
    shutil.rmtree(tmp_path / "p")
    init.make(tmp_path / "p", sample=True, now=datetime.now(UTC))
    assert main(["-C", str(tmp_path / "p"), "status"]) == 0


def test_a_channel_that_was_taken_out_of_the_settings_is_told(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    main(["init", str(copy), "--sample"])
    main(["-C", str(copy), "hold", "x", "--reason", "wait"])
    with open_app(copy) as app:
        tick(app, app.now())
        app.holds.lift("x", who="test", now=app.now(), detail={})
        name = app.content.briefs(now=app.now(), limit=1)[0]
        posts.owe(app, name, ["x"], due=app.now())
    settings = copy / "config" / "syndicate.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r"(?ms)^\[channels\.x\].*?(?=^\[|^# )", "", text), encoding="utf-8")
    capsys.readouterr()
    assert main(["-C", str(copy), "status"]) == 1
    assert "waiting for the channel 'x', which is not in the settings any more" in capsys.readouterr().out


def test_a_second_run_says_so_within_a_second(say: Say, ran: Path) -> None:
    with RunLock(ran / "var" / "syndicate.db"):
        begin = time.monotonic()
        code, _, err = say("run", "--port", "0")
    assert code == 1
    assert "another `syndicate run`" in err
    assert time.monotonic() - begin < 3


def test_waiting_for_another_process_ends_where_nothing_more_will_leave(
    ran: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_: float) -> None:
        raise AssertionError("it waits for what is held")

    monkeypatch.setattr(time, "sleep", endless)
    with open_app(ran) as app, RunLock(app.store.path):
        item = app.content.briefs(now=app.now())[-1]
        app.holds.place("mastodon", "wait", who="test", now=app.now())
        posts.owe(app, item, ["mastodon"], due=app.now())
        assert waiting.deliver(app, "post", item.id).open == 1
        app.ledger.cancel("mastodon", app.now(), who="test")
        app.holds.lift("mastodon", who="test", now=app.now(), detail={})
    assert "1 wait: held, or to be tried again later" in capsys.readouterr().err


def test_sending_by_hand_what_was_sent_already_is_refused(say: Say) -> None:
    assert say("editions", "send", "digest")[0] == 1
    assert say("posts", "send", "post-fell-silent")[0] == 1
    code, _, err = say("posts", "send", "borrowed-clock", "--channel", "x")
    assert code == 0
    assert "borrowed-clock: 1 delivery: 1 sent" in err


def test_the_database_is_copied_and_checked(say: Say, tmp_path: Path) -> None:
    assert say("db", "backup", str(tmp_path / "copy.db"))[0] == 0
    assert (tmp_path / "copy.db").stat().st_size > 0
    assert say("db", "backup", str(tmp_path / "copy.db"))[0] == 1
    assert documents(say, "db", "check") == {"ok": True, "found": []}


def test_ids_are_written_once_and_stay(say: Say, ran: Path) -> None:
    fresh = ran / "content" / "briefs" / "fresh.md"
    fresh.write_text("---\ntitle: Fresh\ndate: 2026-01-02\n---\nText.\n")
    code, out, _ = say("ids", "write", "--json")
    ((written,),) = [[row for row in json.loads(out) if row["file"].endswith("fresh.md")]]
    assert code == 0
    assert fresh.read_text().startswith(f"---\nid: {written['id']}\ntitle: Fresh\n")
    assert json.loads(say("ids", "write", "--json")[1]) == []
    assert say("preview", written["id"], "--out", str(ran / "var" / "look"))[0] == 0
    fresh.unlink()


def test_a_faulty_file_fails_the_check_with_its_line(say: Say, ran: Path) -> None:
    broken = ran / "content" / "briefs" / "broken.md"
    broken.write_text("---\ntitle: [unclosed\n---\nText.\n")
    code, out, _ = say("check")
    broken.unlink()
    assert code == 1
    assert out.startswith("content/briefs/broken.md:")


def test_a_fault_in_the_settings_stops_every_command_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "new")]) == 0
    file = tmp_path / "new" / "config" / "syndicate.toml"
    file.write_text(file.read_text().replace('schedule = "', 'shedule = "'))
    for command in ("run", "plan", "status", "feeds"):
        assert main(["-C", str(tmp_path / "new"), command]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert "config/syndicate.toml:" in told.err
        assert "schedule" in told.err
    assert main(["-C", str(tmp_path / "new"), "check"]) == 1
    assert "shedule" in capsys.readouterr().out


def test_a_folder_that_is_no_publication_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tmp_path), "status"]) == 1
    told = capsys.readouterr()
    assert "config/syndicate.toml" in told.err
    assert "Traceback" not in told.err


def test_a_run_serves_and_stops_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "demo"
    environ = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "syndicate", "demo", str(target), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ)
    try:
        lines = []
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if line.startswith("next: "):
                break
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert process.returncode == 0, rest
    assert any(line.startswith("pages and feeds: http://127.0.0.1:") for line in lines)
    assert "stopping" in rest
    assert (target / "feeds" / "briefs.atom").exists()


def test_a_delivered_message_is_looked_at(say: Say, tmp_path: Path) -> None:
    signed = tmp_path / "arrived.eml"
    head = (
        b"From: a@b.example\r\nList-Unsubscribe: <https://b.example/u/x>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nText\r\n"
    )
    signature = b"DKIM-Signature: v=1; d=b.example; s=x; h=from:list-unsubscribe%s; bh=x; b=y\r\n"
    signed.write_bytes(signature % b":list-unsubscribe-post" + head)
    doctor = ("channels", "doctor", "mail", "--message", str(signed))
    assert say(*doctor)[0] == 0
    signed.write_bytes(signature % b"" + head)
    code, out, _ = say(*doctor)
    assert code == 1
    assert "leaves out list-unsubscribe-post" in out
    assert say("channels", "doctor", "mail", "--message", str(tmp_path / "gone.eml"))[0] == 1


def test_an_answer_that_finds_no_room_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # so that it is found out at the end, as in a shell
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "syndicate", "--version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (1, "syndicate: No space left on device\n")


@pytest.mark.parametrize("kept", [100, 20_000])  # SQLite says of the first that it cannot open the copy
def test_a_cut_off_database_is_told_as_damaged_by_whatever_copies_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kept: int
) -> None:
    assert main(["init", str(tmp_path / "p")]) == 0
    database, copy = tmp_path / "p" / "var" / "syndicate.db", tmp_path / "copy.db"
    migrated(tmp_path / "p")
    os.truncate(database, kept)
    told = f"syndicate: database {database}: it is damaged: restore the newest backup, then `syndicate claim`"
    for command in (["db", "backup", str(copy)], ["db", "backup", str(copy)], ["check"], ["plan"]):
        capsys.readouterr()
        assert main(["-C", str(tmp_path / "p"), *command]) == 1
        assert capsys.readouterr().err.strip() == told
    assert not copy.exists()


def test_a_damaged_database_is_named_by_its_own_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "p")]) == 0
    database = tmp_path / "p" / "var" / "syndicate.db"
    database.parent.mkdir(exist_ok=True)
    database.write_text("this was a database once", encoding="utf-8")
    capsys.readouterr()
    assert main(["-C", str(tmp_path / "p"), "plan"]) == 1
    assert (
        capsys.readouterr().err.strip() == f"syndicate: database {database}: it is not an SQLite database: check database.url"
    )
