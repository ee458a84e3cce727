"""The settings file and the environment: what is accepted, and what each mistake is told."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr

from syndicate.config import outlets, reading
from syndicate.config.lines import line_of, places
from syndicate.errors import ConfigError, Fault
from syndicate.settings import BRIEF_LATENESS, DIGEST_LATENESS, QUOTE_LATENESS, ScheduleSettings, Settings, load

ROOT = Path(__file__).parents[2]
SITE = """[site]
title = "The Letter"
url = "https://example.org"
tag_authority = "example.org,2015"
"""
SECRET = "correct horse battery staple"


class MailSettings(BaseModel):
    """A mail channel as a package might bring it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = 25
    password: SecretStr = SecretStr("")
    hosts: tuple[str, ...] = ()


class Mail:
    kind = "smtp"
    carries = "message"
    Settings = MailSettings


class OutboxSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    like: str


class Outbox:
    kind = "outbox"
    carries = "post"
    Settings = OutboxSettings


class X(Outbox):
    kind = "x"


class Point:
    def __init__(self, factory: Any) -> None:
        self.factory = factory

    def load(self) -> Any:
        if isinstance(self.factory, Exception):
            raise self.factory
        return self.factory


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"smtp": Point(Mail), "outbox": Point(Outbox), "x": Point(X), "lost": Point(ImportError("No module named 'lost'"))}
    monkeypatch.setattr(outlets, "known", lambda: points)


def read(
    text: str = "", environ: dict[str, str] | None = None, files: dict[str, str] | None = None, *, site: str = SITE
) -> Settings:
    def file(name: str) -> str:
        if name not in (files or {}):
            raise FileNotFoundError(2, "No such file or directory")
        return (files or {})[name]

    return reading.parse(Settings, site + text, environ or {}, file)


def faults(
    text: str = "", environ: dict[str, str] | None = None, files: dict[str, str] | None = None, *, site: str = SITE
) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        read(text, environ, files, site=site)
    return caught.value.faults


def fault(
    text: str = "", environ: dict[str, str] | None = None, files: dict[str, str] | None = None, *, site: str = SITE
) -> Fault:
    (only,) = faults(text, environ, files, site=site)
    return only


# -- what is accepted -----------------------------------------------------------------------------
def test_the_starter_publications_settings_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real kinds of channel
    settings = load(ROOT, {})
    assert {table["kind"] for table in settings.channels.values()} == {"outbox"}
    assert settings.newsletters


def test_a_site_alone_is_enough() -> None:
    settings = read()
    assert settings.quotes.schedule.at == "daily at 06:00"
    assert settings.database.url == "sqlite:///var/syndicate.db"
    assert settings.privacy.keep_details_days == 90


def test_a_schedule_is_a_string_or_a_table() -> None:
    settings = read(
        '[quotes]\nschedule = {at = "daily at 05:30", zone = "Europe/Berlin", window = "3 days"}\n[posts]\nbriefs = "daily at 12:00"\n'
    )
    assert settings.quotes.schedule.window == timedelta(days=3)
    assert settings.quotes.schedule.parsed("UTC").zone == "Europe/Berlin"
    assert settings.posts.briefs.parsed("Asia/Tokyo").zone == "Asia/Tokyo"


def test_lateness_is_the_places_own_until_it_is_written() -> None:
    assert ScheduleSettings(at="daily at 07:00").policy(DIGEST_LATENESS) == DIGEST_LATENESS
    written = ScheduleSettings(at="daily at 07:00", catchup="skip", window="90m").policy(QUOTE_LATENESS)  # type: ignore[arg-type]
    assert (written.catchup, written.window) == ("skip", timedelta(minutes=90))


def test_the_defaults_of_lateness_are_those_of_the_rules() -> None:
    assert (QUOTE_LATENESS.catchup, QUOTE_LATENESS.window) == ("latest", timedelta(hours=12))
    assert (DIGEST_LATENESS.catchup, DIGEST_LATENESS.window) == ("coalesce", timedelta(hours=24))
    assert (BRIEF_LATENESS.catchup, BRIEF_LATENESS.window) == ("all", timedelta(hours=72))


def test_false_says_that_a_newsletter_has_no_weekly() -> None:
    settings = read(
        '[newsletters.n]\ntitle = "N"\nfrom = "n@example.org"\nweekly = false\n[channels.mail]\nkind = "outbox"\nlike = "smtp"\n'
    )
    assert settings.newsletters["n"].weekly is None
    assert settings.newsletters["n"].daily is not None


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().web.port = 1  # type: ignore[misc]


def test_another_port_leaves_the_public_address() -> None:
    settings = read().served_at(port=0)
    assert (settings.web.port, settings.web.host, settings.web.public_url) == (0, "127.0.0.1", "http://127.0.0.1:8000")


def test_a_public_address_loses_its_last_slash() -> None:
    assert read('[web]\npublic_url = "https://news.example.org/"\n').web.public_url == "https://news.example.org"


# -- what is wrong, and what would be right -------------------------------------------------------
def test_a_missing_file_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match=r"syndicate init /nowhere/at/all"):
        load(Path("/nowhere/at/all"), {})


def test_an_unknown_key_suggests_the_nearest() -> None:
    found = fault('[quotes]\nshedule = "daily at 06:00"\n')
    assert str(found) == "config/syndicate.toml:6: settings: unknown key `shedule`, did you mean `schedule`?"


def test_an_unknown_key_without_a_neighbour_lists_what_there_is() -> None:
    found = fault("[posts]\nqqqq = 1\n")
    assert (found.line, found.what, found.right) == (6, "unknown key `qqqq`", "[posts] knows briefs")


@pytest.mark.parametrize(
    ("text", "line", "suggestion"),
    [
        ("[quote]\n", 5, "`quotes`"),
        ("[quotes.labels]\nwrds = 'x'\n", 6, "`words`"),
        ("[quotes]\nlabels = {\n  wrds = 'x' }\n".replace("\n  ", " "), 6, "`words`"),
        ('[quotes]\nschedule = {at = "daily at 06:00", zome = "UTC"}\n', 6, "`zone`"),
        ("[feeds.all]\n\nwindwo = 3\n", 7, "`window`"),
        ('[newsletters.n]\ntitle = "N"\nform = "n@example.org"\nfrom = "n@example.org"\nchannel = "mail"\n[channels.mail]\nkind = "outbox"\nlike="smtp"\n', 7, "`from`"),
        ('[channels.mail]\nkind = "smtp"\nhost = "127.0.0.1"\nhots = "x"\n[web]\npublic_url = "https://example.org"\n', 8, "`host"),
    ],
)  # fmt: skip
def test_unknown_keys_are_found_at_every_level(text: str, line: int, suggestion: str) -> None:
    found = fault(text)
    assert found.line == line
    assert f"did you mean {suggestion}" in found.what


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[quotes]\nschedule = "dayly at 06:00"\n', 6, 'did you mean "daily'),
        ('[quotes]\nschedule = "when published"\n', 6, "names no time"),
        ('[quotes]\nschedule = "every 15 minutes"\n', 6, "more than once a day"),
        ('[quotes]\n\nschedule.at = "daily at 25:00"\n', 7, "not a time of day"),
        ('[posts]\nbriefs = {at = "when published", zone = "Mars/Olympus"}\n', 6, "unknown time zone"),
        ('[posts]\nbriefs = {at = "when published", window = "soon"}\n', 6, "not a length of time"),
        ('[posts]\nbriefs = {at = "when published", window = 12}\n', 6, '"12" has no unit'),
        ('[posts]\nbriefs = {at = "when published", window = "0h"}\n', 6, "longer than nothing"),
        ('[posts]\nbriefs = {at = "when published", window = "99999999999 weeks"}\n', 6, "longer than any calendar"),
        ('[posts]\nbriefs = {at = "when published", catchup = "sometimes"}\n', 6, '"latest", "coalesce", "all", "skip"'),
        ('[quotes]\nhold_days = [\n  "07-22",\n  "02-30",\n]\n', 8, '"02-30" is not a day'),
        ('[quotes]\nhold_days = ["07-22", "07-22"]\n', 6, "stands here twice"),
        ('[quotes]\narchive_hosts = ["https://archive.example.org"]\n', 6, "is not a host name"),
        ("[quotes]\nspacing = 3\n", 6, "is not a table"),
        ("[quotes.spacing]\nideology = 31\n", 6, "at most 30"),
        ("[feeds.a]\nwindow = 0\n", 6, "at least 1"),
        ('[feeds.a]\nwindow = "many"\n', 6, "not a whole number"),
        ('[feeds.a]\nformats = "rss"\n', 6, "is not a list"),
        ('[feeds.a]\nformats = ["rdf"]\n', 6, '"rss", "atom", "json"'),
        ('[feeds.a]\nitems = "quotes"\ntopic = "x"\n', 7, "parts briefs"),
        ('[feeds."A B"]\n', 5, "cannot be a name"),
        ('[sources.a]\nkind = "markdown"\n', 5, "`path` in [sources.a] is missing"),
        ('[sources.a]\nkind = "markdown"\npath = "c"\n[sources.b]\nkind = "quotes"\npath = "c/"\n', 10, "the same folder as [sources.a]"),
        ('[database]\nurl = "postgresql://me:hush@db/x"\n', 6, "cannot be used"),
        ('[web]\npublic_url = "http://news.example.org"\n', 6, "is not https"),
        ('[web]\npublic_url = "https://news.example.org/?a=b"\n', 6, "paths can be added"),
        ("[web]\nport = 65536\n", 6, "at most 65535"),
        ('[web]\nhost = "not a host"\n', 6, "listen"),
        ('[desk]\nurl = "https://desk.example.org/desk"\n', 6, "has a path"),
        ('[desk]\nhost = "0.0.0.0"\n', 6, "beyond this machine"),
        ('[quotes]\ntagline = "one\\u0000two"\n', 6, "`tagline` in [quotes]: U+0000 stands in it"),
        ('[quotes.labels]\nwords = "one\\r\\nBcc: two"\n', 6, "a line break stands in it"),
        ('[feeds.a]\ntitle = "one\\u202etwo"\n', 6, "U+202E stands in it"),
        ('[newsletters.n]\nfrom = "n@example.org"\nchannel = "x"\ntitle = """\none\ntwo"""\n[channels.x]\nkind = "outbox"\nlike = "smtp"\n', 8, "a line break"),
        ('[brand]\nink = "black"\n', 6, "is not a colour"),
        ('[brand]\nserif = "x; } body { display: none"\n', 6, "list of fonts"),
        ("[privacy]\nkeep_details_days = true\n", 6, '"true" is not a whole number'),
        ("[privacy]\nkeep_details_days = 36501\n", 6, "at most 36500"),
        ('[channels.Mail]\nkind = "outbox"\nlike = "x"\n', 5, "cannot be a channel's name"),
        ('[channels.a__b]\nkind = "outbox"\nlike = "x"\n', 5, "cannot be a channel's name"),
        ('[channels.a]\nkind = "outbx"\n', 6, "did you mean `outbox`?"),
        ('[channels.a]\nlike = "x"\n', 5, "`kind` in [channels.a] is missing"),
        ('[channels.a]\nkind = "outbox"\n', 5, "`like` in [channels.a] is missing"),
        ('[channels.a]\nkind = "lost"\n[web]\npublic_url = "https://example.org"\n', 6, "cannot be loaded: No module named 'lost'"),
        ('[channels.a]\nkind = "x"\nlike = "x"\n', 0, "is not https while [channels.a] is no outbox"),
        ('[channels.a]\nkind = "x"\nlike = "x"\n[web]\npublic_url = "http://127.0.0.1:8000"\n', 9, "is not https while [channels.a] is no outbox"),
        ('[newsletters.n]\ntitle = "N"\nfrom = "n@example.org"\n', 5, "names a channel `mail` that is not there"),
        ('[newsletters.n]\ntitle = "N"\nfrom = "n@example.org"\nchannel = "mial"\n[channels.mail]\nkind = "outbox"\nlike = "smtp"\n', 8, "did you mean `mail`?"),
        ('[newsletters.n]\ntitle = "N"\nfrom = "n@example.org"\nchannel = "x"\n[channels.x]\nkind = "outbox"\nlike = "x"\n', 8, "carries no mail"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, line: int, words: str) -> None:
    found = fault(text)
    assert (found.file, found.line) == ("config/syndicate.toml", line)
    assert words in str(found)
    assert "hush" not in str(found)


def test_an_address_may_have_lines_and_a_name_its_joiners() -> None:
    told = SITE + 'postal_address = """3 Rope Walk\r\nTolland Quay"""\ndescription = "\u0645\u06cc\u200c\u0634\u0648\u062f"\n'
    assert read(site=told).site.postal_address == "3 Rope Walk\nTolland Quay"
    assert fault('postal_address = "3 Rope Walk\\nTolland\\u202e"\n').line == 5


@pytest.mark.parametrize(
    "sender",
    [
        "nobody",
        "A <a@b.example>, B <b@b.example>",
        "A <a@>",
        "a@b.example\nBcc: c@d.example",
        "",
        "A \u202e <a@b.example>",
        "@b.example",
    ],
)
def test_a_sender_is_one_mailbox(sender: str) -> None:
    text = (
        f'[newsletters.n]\ntitle = "N"\nfrom = {sender!r}\n'.replace("'", '"')
        + '[channels.mail]\nkind = "outbox"\nlike = "smtp"\n'
    )
    found = fault(text)
    assert found.line == 7
    assert "is not a sender" in found.what
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    "sender", ["n@example.org", "The Letter <n@example.org>", '"A, B" <n@example.org>', "Ünï <n@münchen.example>"]
)
def test_mailboxes_as_people_write_them_are_senders(sender: str) -> None:
    text = f"[newsletters.n]\ntitle = 'N'\nfrom = '{sender}'\n[channels.mail]\nkind = 'outbox'\nlike = 'smtp'\n"
    assert read(text).newsletters["n"].sender == sender


@pytest.mark.parametrize("language", ["e", "english-", "en_GB", "en-", "123"])
def test_a_language_is_a_tag(language: str) -> None:
    assert "BCP 47" in fault(site=SITE + f'language = "{language}"\n').what


@pytest.mark.parametrize("language", ["en", "de-CH", "zh-Hant-TW", "ar", "sr-Latn", "es-419"])
def test_language_tags_as_they_are_used_are_read(language: str) -> None:
    assert read(site=SITE + f'language = "{language}"\n').site.language == language


@pytest.mark.parametrize(
    "authority",
    ["example.org", "example.org,15", "Example.org,2015", "example.org,2015-02-30", "https://example.org,2015", ",2015"],
)
def test_a_tag_authority_is_a_host_and_a_date(authority: str) -> None:
    found = fault(site=SITE.replace("example.org,2015", authority))
    assert found.line == 4
    assert "RFC 4151" in found.what


@pytest.mark.parametrize("authority", ["example.org,2015", "me@example.org,2015-06", "sub.example.org,2015-06-30"])
def test_tag_authorities_of_the_standard_are_read(authority: str) -> None:
    assert read(site=SITE.replace("example.org,2015", authority)).site.tag_authority == authority


def test_a_missing_table_is_named() -> None:
    assert "the table [site] is missing" in fault(site="").what


def test_every_mistake_is_told_at_once_in_the_order_of_the_file() -> None:
    found = faults(
        '[quotes]\nshedule = "x"\napproval = "none"\n[web]\nport = "x"\n[feeds.a]\nwindow = 0\n', {"SYNDICATE_WEB__HOTS": "x"}
    )
    assert [(one.file, one.line) for one in found] == [
        ("config/syndicate.toml", 6), ("config/syndicate.toml", 7), ("config/syndicate.toml", 9), ("config/syndicate.toml", 11), ("environment", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[quotes]\nschedule = \n", 6, "not TOML"),
        ('[quotes]\ntitle = "a"\ntitle = "b"\n', 7, "keep one"),
        ("[feeds.a]\n[feeds.a]\n", 6, "keep one"),
        ('[quotes]\ntitle = "a', 6, "not TOML"),
        ("[quotes]\ntitle = “The daily dose”\n", 6, 'the quotation marks are curly; type straight ones: "…"'),
        ('[quotes]\n‘title’ = "a"\n', 6, "the quotation marks are curly"),
        ('[quotes]\ntitle = "“a” = b\n', 6, "not TOML"),
    ],
)
def test_broken_toml_is_told_with_its_line(text: str, line: int, words: str) -> None:
    found = fault(text)
    assert found.line == line
    assert words in str(found)


# -- the environment ------------------------------------------------------------------------------
MAIL = '[channels.mail]\nkind = "smtp"\nhost = "mail.example.org"\n[web]\npublic_url = "https://example.org"\n'


def test_a_secret_comes_from_the_environment_and_does_not_show() -> None:
    settings = read(MAIL, {"SYNDICATE_CHANNELS__MAIL__PASSWORD": SECRET})
    assert settings.channels["mail"]["password"].get_secret_value() == SECRET
    assert SECRET not in repr(settings)


def test_a_secret_comes_from_a_file_without_its_newline() -> None:
    settings = read(MAIL, {"SYNDICATE_CHANNELS__MAIL__PASSWORD_FILE": "/run/pw"}, {"/run/pw": f"{SECRET}\r\n"})
    assert settings.channels["mail"]["password"].get_secret_value() == SECRET


def test_a_file_that_cannot_be_read_is_named_by_its_variable() -> None:
    found = fault(MAIL, {"SYNDICATE_CHANNELS__MAIL__PASSWORD_FILE": "/run/none"})
    assert str(found).startswith("environment: settings: SYNDICATE_CHANNELS__MAIL__PASSWORD_FILE: the file")


def test_a_secret_and_its_file_are_one_too_many() -> None:
    name = "SYNDICATE_CHANNELS__MAIL__PASSWORD"
    assert "keep one of the two" in str(fault(MAIL, {name: SECRET, f"{name}_FILE": "/run/pw"}, {"/run/pw": SECRET}))


def test_a_secret_in_the_file_is_refused_and_not_repeated() -> None:
    found = fault(MAIL.replace("[web]", f'password = "{SECRET}"\n[web]'))
    assert found.line == 8
    assert "SYNDICATE_CHANNELS__MAIL__PASSWORD" in found.right
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "environ",
    [
        {"SYNDICATE_CHANNELS__MAIL__PASWORD": SECRET},
        {"SYNDICATE_CHANNELS__MIAL__PASSWORD": SECRET},
        {"SYNDICATE_CHANNELS__MAIL__PASSWORD__X": SECRET, "SYNDICATE_CHANNELS__MAIL__PASSWORD": SECRET},
        {"SYNDICATE_WEB__HOST_FILE": "/run/pw"},
        {"SYNDICATE_SITE__ZONE_FILE": "/run/pw"},
        {"SYNDICATE_WEB__PORT_FILE": "/run/pw"},
    ],
)
def test_no_message_repeats_a_secret(environ: dict[str, str]) -> None:
    found = faults(MAIL, environ, {"/run/pw": SECRET})
    assert found
    assert SECRET not in "\n".join(map(str, found))


def test_a_validator_that_quotes_a_secret_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import model_validator

    class Chatty(MailSettings):
        @model_validator(mode="after")
        def _judge(self) -> Chatty:
            msg = f"{self.password.get_secret_value()} is too weak"
            raise ValueError(msg)

    monkeypatch.setattr(Mail, "Settings", Chatty)
    found = fault(MAIL, {"SYNDICATE_CHANNELS__MAIL__PASSWORD": SECRET})
    assert SECRET not in str(found)


def test_a_fault_of_a_whole_table_is_told_although_a_secret_stands_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import model_validator

    class Strict(MailSettings):
        @model_validator(mode="after")
        def _judge(self) -> Strict:
            msg = "a password needs a user name; add `username`"
            raise ValueError(msg)

    monkeypatch.setattr(Mail, "Settings", Strict)
    found = fault(MAIL, {"SYNDICATE_CHANNELS__MAIL__PASSWORD": SECRET})
    assert (found.line, found.what) == (5, "[channels.mail]: a password needs a user name")


def test_the_environment_wins_over_the_file() -> None:
    settings = read(
        '[web]\nport = 1\n[quotes]\nhold_days = ["01-01"]\n',
        {"SYNDICATE_WEB__PORT": "0", "SYNDICATE_QUOTES__HOLD_DAYS": "07-22, 04-20"},
    )
    assert settings.web.port == 0
    assert settings.quotes.hold_days == ("07-22", "04-20")


def test_a_list_may_be_told_as_json() -> None:
    settings = read(environ={"SYNDICATE_QUOTES__ARCHIVE_HOSTS": '["a.example", "b.example"]'})
    assert settings.quotes.archive_hosts == ("a.example", "b.example")


def test_a_mistake_in_a_variable_names_the_variable() -> None:
    found = fault(environ={"SYNDICATE_QUOTES__HOLD_DAYS": "13-45"})
    assert str(found).startswith(
        'environment: settings: SYNDICATE_QUOTES__HOLD_DAYS: `hold_days` in [quotes]: "13-45" is not a day'
    )


def test_a_variable_names_no_new_channel() -> None:
    found = fault(MAIL, {"SYNDICATE_CHANNELS__MIAL__PASSWORD": SECRET})
    assert "did you mean [channels.mail]?" in found.right


def test_a_variable_inside_a_value_says_what_to_set() -> None:
    found = fault('[quotes]\nschedule = "daily at 06:00"\n', {"SYNDICATE_QUOTES__SCHEDULE__ZONE": "UTC"})
    assert "SYNDICATE_QUOTES__SCHEDULE instead" in found.right


def test_variables_that_are_no_settings_are_left_alone() -> None:
    assert read(environ={"SYNDICATE_DEBUG": "1", "OTHER__KEY": "1", "PATH": "/bin"}) == read()


def test_a_kind_may_come_from_the_environment() -> None:
    text = '[channels.mail]\nkind = "outbox"\n[web]\npublic_url = "https://example.org"\n'
    settings = read(
        text,
        {
            "SYNDICATE_CHANNELS__MAIL__KIND": "smtp",
            "SYNDICATE_CHANNELS__MAIL__HOST": "h",
            "SYNDICATE_CHANNELS__MAIL__HOSTS": "a,b",
        },
    )
    assert settings.channels["mail"] == {"kind": "smtp", "host": "h", "hosts": ["a", "b"]}


# -- where keys stand -----------------------------------------------------------------------------
TRICKY = (ROOT / "tests/data/tricky.toml").read_text(encoding="utf-8")


def test_keys_are_found_among_strings_comments_and_arrays() -> None:
    assert tomllib.loads(TRICKY)
    known = places(TRICKY)
    assert {path: line for path, line in known.items() if isinstance(path[-1], str)} == {
        ("a b",): 2, ("a b", "c"): 2, ("a b", "c", "x"): 3, ("a b", "c", "y.z"): 7, ("a b", "c", "y.z", 1, "p"): 8,
        ("a b", "c", "y.z", 1, "q"): 8, ("a b", "c", "d"): 11, ("a b", "c", "d", "e"): 11, ("a b", "c", "d", "e", "f"): 11,
        ("t",): 12, ("t", 0, "n"): 13, ("t", 1, "n"): 15, ("t", 1, "u"): 16, ("t", 1, "u", "v"): 17,
    }  # fmt: skip
    assert known["a b", "c", "y.z", 1, "q", 0] == 9


def test_an_absent_key_stands_where_its_table_does() -> None:
    known = places("a = 1\n[b.c]\nd = 1\n")
    assert line_of(("b", "c", "x", "y"), known) == 2
    assert line_of(("z",), known) == 0


WORDS = st.text(alphabet="ab1_-", min_size=1, max_size=4)
TEXTS = st.text(alphabet="ab\\\"'#[]{}=,.\n\t", max_size=12)
SCALARS = st.one_of(TEXTS, st.integers(), st.booleans())
NESTED = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)), max_leaves=8
)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        plain = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
        return f'"""\n{plain}"""' if "\n" in value else f'"{plain}"'
    if isinstance(value, list):
        return "[\n" + "".join(f"{_toml(one)}, # ]\n" for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    return str(value)


def _paths(value: Any, below: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path for key, inner in pairs for path in ({(*below, key)} | _paths(inner, (*below, key)))}


@given(st.dictionaries(WORDS, st.dictionaries(WORDS, NESTED, max_size=3), max_size=3))
def test_every_key_of_any_file_is_found_on_a_line_that_names_it(tables: dict[str, dict[str, Any]]) -> None:
    text = "".join(
        f"# {name}\n[{name}]\n" + "".join(f"{key} = {_toml(value)}\n\n" for key, value in table.items())
        for name, table in tables.items()
    )
    assert tomllib.loads(text) == tables
    known, lines = places(text), text.split("\n")
    assert set(known) == _paths(tables)
    for path, line in known.items():
        if isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]
            assert not lines[line - 1].startswith("# ")


# -- whatever stands in the file ------------------------------------------------------------------
WHOLE = (
    SITE
    + """[database]
[sources.a]
kind = "markdown"
path = "content/a"
[feeds.a]
[newsletters.a]
title = "A"
from = "a@example.org"
channel = "a"
[quotes]
[quotes.labels]
[quotes.spacing]
[posts]
[channels.a]
kind = "smtp"
host = "h"
[web]
public_url = "https://example.org"
[desk]
[signup]
[privacy]
[returns]
[brand]
"""
)
STRANGE = (
    "5",
    "-1",
    "true",
    '""',
    '"\\u0000"',
    "[]",
    "[[1]]",
    "{}",
    "{at = 1}",
    "1.5",
    "nan",
    "1979-05-27",
    "07:32:00",
    '["x", 1]',
)


def _keys(model: type[BaseModel], heading: str) -> list[str]:
    return [f"{heading}|{field.alias or name}" for name, field in model.model_fields.items()]


ANYWHERE = [
    key
    for name, field in Settings.model_fields.items()
    for model in [field.annotation]
    for key in (
        _keys(model, f"[{name}]")
        if isinstance(model, type)
        else _keys({"channels": MailSettings}.get(name) or model.__args__[1], f"[{name}.a]")  # type: ignore[union-attr]
    )
]


@pytest.mark.parametrize("place", ANYWHERE)
def test_a_strange_value_is_used_or_told_never_a_crash(place: str) -> None:
    heading, key = place.split("|")
    for value in STRANGE:
        lines = [line for line in WHOLE.splitlines() if not line.startswith((f"{key} =", f"[quotes.{key}]"))]
        lines.insert(lines.index(heading) + 1, f"{key} = {value}")
        told = _told("\n".join(lines))
        assert all(fault.line and fault.what for fault in told), told


def _told(text: str) -> tuple[Fault, ...]:
    try:
        read(site=text)
    except ConfigError as error:
        return error.faults
    return ()


@pytest.mark.parametrize("value", ["5", "true", '"x"', "[]", "[1]"])
@pytest.mark.parametrize("section", list(Settings.model_fields))
def test_a_section_that_is_no_table_is_told(section: str, value: str) -> None:
    text = "\n".join([f"{section} = {value}", *([] if section == "site" else [SITE])])
    with pytest.raises(ConfigError, match="is not a table"):
        read(site=text)
