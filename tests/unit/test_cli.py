"""The command line's own judgement: exit codes, one line for each fault, and the text that it rewrites."""

from __future__ import annotations

import argparse
import io
import json
import sys
import types
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from syndicate import cli
from syndicate.cli import arguments, deliveries, ids, init, output, publication
from syndicate.cli.readers import Desk, Line, wishes
from syndicate.errors import ConfigError, Fault, Held, SourceError, SyndicateError
from syndicate.model import Frequency, QuoteDisplay, State
from syndicate.publish import settling
from syndicate.sources import roster

NOW = datetime(2026, 11, 22, 13, 47, tzinfo=UTC)


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], int]], int]:
    """Run ``main`` with a command of our own making."""

    def run(body: Callable[[], int]) -> int:
        module = types.ModuleType("syndicate.cli.act")
        module.parser = lambda prog: cli.Parser(prog, description="acts")  # type: ignore[attr-defined]
        module.run = lambda args: body()  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "syndicate.cli.act", module)
        monkeypatch.setitem(cli.COMMANDS, "act", "acts")
        monkeypatch.delenv(cli.DEBUG, raising=False)
        return cli.main(["act"])

    return run


def failing(error: BaseException) -> Callable[[], int]:
    def body() -> int:
        raise error

    return body


def test_a_command_decides_the_exit_code(act: Callable[..., int]) -> None:
    assert act(lambda: 0) == 0
    assert act(lambda: 1) == 1


def test_every_fault_is_one_line_and_no_traceback(act: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    faults = [
        Fault(file="a.toml", line=3, rule="site", what="it is wrong", right="mend it"),
        Fault(file="b.md", what="it is odd"),
    ]
    assert act(failing(ConfigError(*faults))) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "a.toml:3: site: it is wrong; mend it\nb.md: it is odd\n")


def test_a_mistake_that_we_can_explain_is_one_sentence(act: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert act(failing(Held("all is on hold", rule="hold"))) == 1
    assert capsys.readouterr().err == "syndicate: all is on hold\n"


def test_a_file_that_is_not_there_is_named(act: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert act(failing(FileNotFoundError(2, "No such file or directory", "readers.csv"))) == 1
    assert capsys.readouterr().err == "syndicate: readers.csv: No such file or directory\n"


def test_our_own_mistake_says_how_to_see_more_and_shows_no_values(
    act: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert act(failing(KeyError("reader@example.org"))) == 1
    told = capsys.readouterr().err
    assert told == "internal error: KeyError; set SYNDICATE_DEBUG=1 to see where, and report it\n"


def test_the_traceback_is_there_for_who_asks(
    act: Callable[..., int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    act(lambda: 0)
    monkeypatch.setenv(cli.DEBUG, "1")
    monkeypatch.setattr(sys.modules["syndicate.cli.act"], "run", lambda _: failing(KeyError("x"))())
    assert cli.main(["act"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_answer_is_utf_8_wherever_it_goes(act: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert act(lambda: print("a → b\udcff") or 0) == 0
    assert raw.getvalue() == "a → b\\udcff\n".encode()


def test_who_closes_our_output_gets_the_exit_code_all_the_same(
    act: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert act(lambda: print("x") or 0) == 0
    sys.stdout.close()
    sys.stderr.close()


def test_control_c_ends_with_a_word(act: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert act(failing(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "stopped\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--frobnicate"],
        ["hold"],
        ["hold", "quotes"],
        ["hold", "quotes", "--reason", " "],
        ["quotes", "reject", "q-1", "--reason", ""],
        ["init", ""],
        ["deliveries", "list", "--limit", "-5"],
        ["posts", "list", "--limit", "0"],
        ["plan", "--days", "many"],
        ["plan", "--day", "3"],
        ["-C"],
        ["run", "--at", "x"],
    ],
)
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "usage: syndicate" in told.err


def test_every_command_has_a_module_with_a_parser_and_a_run() -> None:
    for name in cli.COMMANDS:
        parser = cli.parser(name)
        assert parser.prog == f"syndicate {name}"
        assert callable(sys.modules[f"syndicate.cli.{name}"].run)


def test_every_listing_speaks_json() -> None:
    def options(parser: argparse.ArgumentParser) -> set[str]:
        return {option for action in parser._actions for option in action.option_strings}

    for name in cli.COMMANDS:
        verbs = [action for action in cli.parser(name)._actions if isinstance(action, argparse._SubParsersAction)]
        for verb in verbs:
            assert "list" not in verb.choices or "--json" in options(verb.choices["list"]), name


def test_the_states_that_can_be_asked_for_are_the_ledgers() -> None:
    assert list(deliveries.STATES) == [str(state) for state in State]


# -- what is printed ----------------------------------------------------------------------------

ROWS = [{"name": "mail", "n": 1, "at": NOW, "held": None}, {"name": "a\x1b[2Jb", "n": 20, "at": NOW, "held": ["x", "y"]}]
COLUMNS = {"name": "Name", "n": "No.", "held": "Held by"}


def test_no_answer_and_no_complaint_moves_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert output.cell(["\x1b[31m", "b"]) == "�[31m, b"
    complaints = (
        SourceError(Fault(file="a\x1b[2J.md", what="b")),
        SyndicateError("c\x1b[2J"),
        FileNotFoundError(2, "gone", "d\x1b[2J"),
    )
    for complaint in complaints:
        monkeypatch.setattr(cli, "_dispatch", lambda _, wrong=complaint: (_ for _ in ()).throw(wrong))
        assert cli.main([]) == 1
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert told.count("�[2J") == len(complaints)


def test_a_pipe_gets_aligned_columns_and_no_escape_sequence(capsys: pytest.CaptureFixture[str]) -> None:
    output.listing(ROWS, COLUMNS, as_json=False, empty="none")
    assert capsys.readouterr().out == "Name    No.  Held by\nmail    1    –\na�[2Jb  20   x, y\n"


def test_json_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    output.listing(ROWS, COLUMNS, as_json=True, empty="none")
    told = capsys.readouterr()
    assert json.loads(told.out)[0] == {"name": "mail", "n": 1, "at": "2026-11-22T13:47:00+00:00", "held": None}
    assert told.err == ""
    output.listing([], COLUMNS, as_json=True, empty="none")
    assert json.loads(capsys.readouterr().out) == []


def test_an_empty_listing_says_so_beside_the_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output.listing([], COLUMNS, as_json=False, empty="there is none")
    assert capsys.readouterr() == ("", "there is none\n")


def test_a_terminal_gets_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdout", screen)
    output.listing(ROWS, COLUMNS, as_json=False, empty="none")
    assert "─" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()


def test_numbers_and_their_nouns_agree() -> None:
    told = [output.count(0, "brief"), output.count(1, "brief"), output.count(1200, "delivery", "deliveries")]
    assert told == ["0 briefs", "1 brief", "1,200 deliveries"]


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    assert publication.one_of("mail", ["mail", "x"], "channel") == "mail"
    with pytest.raises(SyndicateError, match="did you mean 'mail'"):
        publication.one_of("mial", ["mail", "x"], "channel")
    with pytest.raises(SyndicateError, match="there is none"):
        publication.one_of("mail", [], "channel")


def test_the_only_one_need_not_be_named() -> None:
    assert publication.only("", ["digest"], "newsletter") == "digest"
    with pytest.raises(SyndicateError, match="name the newsletter: a, b"):
        publication.only("", ["b", "a"], "newsletter")


@pytest.mark.parametrize("text", ["tomorrow", "2026-11-22T07:00"])
def test_a_pretended_time_needs_its_zone(text: str) -> None:
    assert arguments.instant("2026-11-22T07:00+01:00") == datetime(2026, 11, 22, 6, tzinfo=UTC)
    with pytest.raises(argparse.ArgumentTypeError, match="Z"):
        arguments.instant(text)


def test_a_deliverys_id_is_read_as_it_is_printed() -> None:
    assert settling.parsed("12.3") == (12, 3)
    for text in ("12", "12.", "a.b", "12.3.4"):
        with pytest.raises(SyndicateError, match=r"looks like 12\.3"):
            settling.parsed(text)


# -- the sample's dates -------------------------------------------------------------------------

SETTINGS = """[site]
zone = "Asia/Kolkata"

[newsletters.digest]
daily = "weekdays at 07:00"   # for readers who choose none
weekly = "weekly on Mon at 07:00"

[quotes]
schedule = "daily at 06:00"
"""
NEWEST = "---\ntitle: A\ndate: 2026-11-20T09:00:00+00:00\n---\ndate: 2026-01-01 stays in the text\n"
OLDER = "---\ndate: 2026-11-16T09:00:00+00:00\ntitle: B\ncorrections:\n  - date: 2026-11-18\n    text: x\n---\nB\n"
TOML = '+++\ntitle = "C"\ndate = 2026-11-20T08:00:00+00:00\nupdated = 2026-11-21\n+++\nC\n'
TEXTS = {
    "config/syndicate.toml": SETTINGS,
    "content/briefs/a.md": NEWEST,
    "content/briefs/b.md": OLDER,
    "content/quotes/q.md": OLDER,
}


def test_the_newest_brief_is_dated_at_this_minute_and_the_others_whole_days_back() -> None:
    made = init.up_to_date(TEXTS, NOW)
    assert made["content/briefs/a.md"] == NEWEST.replace("2026-11-20T09:00:00+00:00", "2026-11-22T19:17:00+05:30")
    assert "date: 2026-11-18T19:17:00+05:30\n" in made["content/briefs/b.md"]
    assert made["content/quotes/q.md"] == OLDER


def test_a_correction_moves_with_its_brief() -> None:
    assert "  - date: 2026-11-20\n" in init.up_to_date(TEXTS, NOW)["content/briefs/b.md"]
    assert init.redated(TOML, NOW, date(2026, 11, 20)).splitlines()[2:4] == [
        "date = 2026-11-22T13:47:00+00:00",
        "updated = 2026-11-23",
    ]


def test_the_schedules_get_this_minute_and_weekday_in_the_sites_zone() -> None:
    made = init.up_to_date(TEXTS, NOW)["config/syndicate.toml"].splitlines()
    assert made[4:6] == ['daily = "daily at 19:17"   # for readers who choose none', 'weekly = "weekly on Sun at 19:17"']
    assert made[-1] == 'schedule = "daily at 19:17"'


def test_two_briefs_of_one_day_do_not_both_become_the_newest() -> None:
    texts = {**TEXTS, "content/briefs/c.md": NEWEST.replace("11-20", "11-19")}
    dates = [init._dated(text) for path, text in init.up_to_date(texts, NOW).items() if path.startswith("content/briefs/")]
    assert sorted(filter(None, dates)) == [date(2026, 11, 18), date(2026, 11, 21), date(2026, 11, 22)]


@pytest.mark.parametrize("hours", range(0, 24, 5))
def test_the_sample_is_due_at_the_minute_that_it_names(hours: int) -> None:
    from syndicate.plan import slots

    minute = NOW + timedelta(hours=hours)
    lines = init.up_to_date(TEXTS, minute)["config/syndicate.toml"].splitlines()
    for line in (lines[4], lines[5], lines[-1]):
        slot = slots.parse(line.split('"')[1], "Asia/Kolkata").next("t", minute - timedelta(minutes=1))
        assert slot is not None
        assert slot.due == minute


# -- readers from a file ------------------------------------------------------------------------


def lines_of(text: str) -> list[Line]:
    desk = Desk(newsletter="digest", newsletters=("digest",), now=datetime(2026, 11, 22, 12, tzinfo=UTC), seen={})
    return list(desk.lines(roster.parse(text.encode(), "readers.csv")))


def told(text: str) -> list[str]:
    try:
        return [str(line.fault) for line in lines_of(text) if line.fault]
    except SourceError as error:
        return [str(fault) for fault in error.faults]


def test_a_plain_file_is_read_with_every_column() -> None:
    lines = lines_of(
        "Address,name,frequency,weekday,hour,zone,quote,lang,status\n"
        'ada@example.org,"Lovelace, Ada",weekly,Friday,8,Europe/Berlin,link,de,subscribed\n'
        "\n"
        "bob@example.org,,,,,,,,unsubscribed\n"
    )
    ada, bob = (line.arrival for line in lines)
    assert ada is not None
    assert bob is not None
    assert (ada.name, ada.wishes.frequency, ada.wishes.weekday, ada.wishes.hour) == ("Lovelace, Ada", Frequency.WEEKLY, 4, 8)
    assert (ada.wishes.zone, ada.wishes.quote_display, ada.wishes.lang) == ("Europe/Berlin", QuoteDisplay.LINK, "de")
    assert (bob.state, bob.wishes.frequency, bob.wishes.hour) == ("ended", Frequency.DAILY, None)


def test_each_faulty_line_is_named_with_what_would_be_right_and_without_the_address() -> None:
    faults = told(
        "address,frequency,hour,zone,quote,status,weekday\n"
        "ada.example.org,,,,,,\n"
        "bob@example.org,hourly,,,,,\n"
        "cy@example.org,,24,,,,\n"
        "di@example.org,,,Berlin,,,\n"
        "ed@example.org,,,,big,,\n"
        "flo@example.org,,,,,maybe,\n"
        "gus@example.org,,,,,,Munday\n"
        "hal@example.org,,,,,,\n"
        "HAL@example.org,,,,,,\n"
        "ian@example.org,,,,,,,extra\n"
    )
    assert [int(fault.split(":")[1]) for fault in faults] == [2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert "write instant, daily or weekly" in faults[1]
    assert "write 0 to 23" in faults[2]
    assert 'did you mean "Europe/Berlin"' in faults[3]
    assert "the same address stands in line 9" in faults[7]
    assert "quotation marks" in faults[8]
    assert not any(name in fault for fault in faults for name in ("ada.", "bob@", "hal@", "HAL@"))


def test_a_heading_with_a_wrong_column_is_met_with_the_nearest() -> None:
    assert told("adress,name\nx,y\n") == [
        "readers.csv:1: csv: there is no column 'adress'; did you mean 'address'?",
        "readers.csv:1: csv: there is no column 'address'; begin the file with a heading such as address,name,frequency",
    ]
    assert len(told("")) == 1


def test_what_a_reader_leaves_open_is_the_newsletters() -> None:
    assert wishes({}).hour is None
    assert wishes({"hour": "0"}).hour == 0
    assert wishes({"weekday": "mon"}).weekday == 0


# -- ids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("---\ntitle: A\n---\nid: x\n", "---\nid: tag:x\ntitle: A\n---\nid: x\n"),
        ("---\r\ntitle: A\r\n---\r\nbody", "---\r\nid: tag:x\r\ntitle: A\r\n---\r\nbody"),
        ('+++\ntitle = "A"\n+++\n', '+++\nid = "tag:x"\ntitle = "A"\n+++\n'),
        ("---\ntitle: A\nid: own\n---\n", "---\ntitle: A\nid: own\n---\n"),
        ("no front matter\n", "no front matter\n"),
    ],
)
def test_an_id_is_one_line_more_and_never_a_second_one(text: str, changed: str) -> None:
    assert ids.with_id(text, "tag:x") == changed
    assert ids.with_id(changed, "tag:x") == changed
