"""Q5 and Q6 over a whole run: a quote made of words that exist nowhere else, and every place where they could turn up.

They may stand in framed bodies: the content of the quotes' feed, the block of a mail, a post and the quote's own page.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
import sqlite3
from typing import Any

import httpx
import pytest
from lxml import etree, html

from publication import SETTINGS, SOCIAL, Publication
from served import served
from syndicate.cli import main
from syndicate.model import Frequency
from syndicate.store.subscribers import Wishes

RARE = ("quindolf", "brasmick", "velthorn", "oxwimple", "zarnabeck", "plovindle", "grustwick", "hemblow", "tarvish", "yelmo")
WORDS = "Quindolf brasmick velthorn oxwimple; zarnabeck plovindle! Grustwick hemblow tarvish yelmo."
ANY = re.compile("|".join(RARE), re.IGNORECASE)
LABEL = "In their own words"
# Files of a quote with a mistake each, every value of which could be a piece of the words.
FAULTY = {
    "kind": "kind: quindolf brasmick velthorn oxwimple",
    "date": "date: quindolf brasmick velthorn oxwimple",
    "lang": "lang: quindolf brasmick velthorn oxwimple",
    "archive": "archive: quindolf brasmick velthorn oxwimple",
    "status": "status: quindolf brasmick velthorn oxwimple",
    "dir": "dir: quindolf brasmick",
    "id": "id: quindolf brasmick velthorn oxwimple",
    "dates": "speaker_dates: [quindolf brasmick]",
    "key": "embarggo: quindolf brasmick velthorn",
    "yaml": "title: 'quindolf brasmick: velthorn: [oxwimple",
    "title": "title: quindolf brasmick velthorn oxwimple zarnabeck",
    "context": "context: Quindolf brasmick velthorn oxwimple; zarnabeck plovindle! Grustwick hemblow tarvish yelmo.",
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    """A publication that has shown the quote to everybody, and holds a faulty quote of every kind."""
    made = Publication(root=tmp_path_factory.mktemp("leaks") / "p", settings=SETTINGS + SOCIAL)
    made.begin("2026-01-01 04:00")
    made.subscribe("2026-01-01 04:00", i=Wishes(frequency=Frequency.INSTANT), d=Wishes(frequency=Frequency.DAILY))
    made.brief("harbour", "2026-01-02T04:30:00Z")
    made.quote("0101", WORDS, short="Grustwick hemblow tarvish yelmo.")
    made.run("2026-01-02 05:30")
    made.run("2026-01-02 06:30")
    for name, line in FAULTY.items():
        key = line.partition(":")[0]
        path = made.quote(f"faulty-{name}", WORDS)
        kept = [one for one in path.read_text().splitlines() if not one.startswith(f"{key}:")]
        path.write_text("\n".join([kept[0], line, *kept[1:]]) + "\n")
    made.run("2026-01-02 06:31")
    return made


def said(capfd: pytest.CaptureFixture[str], publication: Publication, *arguments: str) -> tuple[int, str]:
    capfd.readouterr()
    code = main(["-C", str(publication.root), *arguments])
    return code, "".join(capfd.readouterr())


COMMANDS = [
    ["check"], ["plan", "--days", "3"], ["status"], ["quotes", "list"], ["quotes", "report"], ["posts", "list"],
    ["editions", "list"], ["editions", "show", "1"], ["deliveries", "list"], ["channels", "list"], ["subscribers", "list"],
    ["people", "list"], ["db", "check"], ["feeds"], ["withdraw", "0101", "--dry-run"], ["run", "--once"],
    ["quotes", "submit", "0101"], ["preview", "0101"], ["preview", "faulty-title"], ["preview", "faulty-context"],
    ["editions", "test", "digest", "--to", "me@test.example"], ["posts", "send", "0101"], ["quotes", "import", "content/quotes/0101.md"],
    ["preview", "Quindolf"], ["hold", "quindolf-nothing", "--reason", "x"],
]  # fmt: skip


def test_no_command_says_a_word_of_it(
    ran: Publication, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(ran.root.parent))
    monkeypatch.chdir(ran.root)
    for arguments in COMMANDS:
        code, told = said(capfd, ran, *arguments)
        if code:  # once more, with the traceback
            with monkeypatch.context() as patch:
                patch.setenv("SYNDICATE_DEBUG", "1")
                told += said(capfd, ran, *arguments)[1]
        typed = " ".join(arguments).lower()  # what the person has typed may be said back to them
        assert [word for word in ANY.findall(told) if word.lower() not in typed] == [], arguments
        if "list" in arguments or arguments[0] in {"check", "plan", "status"}:
            assert not ANY.search(said(capfd, ran, *arguments, "--json")[1]), arguments


def test_no_file_but_those_of_framed_bodies_holds_a_word_of_it(ran: Publication) -> None:
    holding = set()
    for path in sorted(ran.root.rglob("*")):
        name = path.relative_to(ran.root).as_posix()
        assert not ANY.search(name), name
        plain = path.is_file() and path.suffix not in {".gz", ".br"}
        if (
            plain
            and not name.startswith(("content/quotes/", "var/syndicate.db"))
            and ANY.search(path.read_text("utf-8", "replace"))
        ):
            holding.add(name)
    mails = {name for name in holding if name.startswith("var/outbox/mail/")}
    posts = {name for name in holding if re.match(r"var/outbox/(mastodon|bluesky|x)/", name)}
    previews = {name for name in holding if name.startswith("var/preview/")}
    feeds = {"feeds/quotes.rss", "feeds/quotes.atom", "feeds/quotes.json"}
    assert feeds <= holding
    assert len(mails) >= 2
    assert posts
    assert holding == feeds | mails | posts | previews


def test_a_feed_holds_it_in_its_content_alone(ran: Publication) -> None:
    for form, body in (
        ("rss", "{http://purl.org/rss/1.0/modules/content/}encoded"),
        ("atom", "{http://www.w3.org/2005/Atom}content"),
    ):
        tree = etree.fromstring((ran.root / f"feeds/quotes.{form}").read_bytes())
        for node in tree.iter():
            texts = [node.text or "", node.tail or "", *map(str, node.attrib.values())]
            assert node.tag == body or not any(map(ANY.search, texts)), (form, node.tag)
        (content,) = [node.text or "" for node in tree.iter(body) if ANY.search(node.text or "")]
        assert content.index(LABEL) < content.lower().index(RARE[0])
    feed: dict[str, Any] = json.loads((ran.root / "feeds/quotes.json").read_text())
    for item in feed.pop("items"):
        item.pop("content_html", None)
        assert not ANY.search(json.dumps(item))
    assert not ANY.search(json.dumps(feed))


def test_a_mail_holds_it_behind_its_label_and_never_in_a_header_or_preview(ran: Publication) -> None:
    found = 0
    for path in ran.outbox("mail"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert not any(ANY.search(f"{name}: {value}") for name, value in message.items())
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        text, page = parts["text/plain"], html.fromstring(parts["text/html"])
        assert not ANY.search(text[:200])
        assert not ANY.search(" ".join(map(str, page.xpath("//title//text() | //@alt | //@title | //@href | //comment()"))))
        shown = " ".join(" ".join(page.xpath("//body//text()[not(ancestor::style)]")).split())
        assert not ANY.search(shown[:200])
        for whole in (text, shown):
            if ANY.search(whole):
                found += 1
                assert whole.lower().index(LABEL.lower()) < whole.lower().index(RARE[0])
    assert found >= 2


def test_a_post_holds_it_behind_its_label_and_never_in_its_card_or_warning(ran: Publication) -> None:
    found = 0
    for name in ("mastodon", "bluesky", "x"):
        for path in ran.outbox(name):
            body = json.loads(path.read_bytes().partition(b"\r\n\r\n")[2] or b"{}")
            record = body.get("record", body)
            text = record.pop("text", "") or record.pop("status", "")
            assert not ANY.search(json.dumps(body)), path.name
            if ANY.search(text):
                found += 1
                assert text.index(LABEL) < text.lower().index(RARE[6] if "[…]" in text else RARE[0])
    assert found


def test_a_page_shows_it_on_the_quotes_own_page_and_never_in_its_head(ran: Publication) -> None:
    with ran.opened("2026-01-02 06:40") as app, served(app) as serving:
        quote = app.content.quote("0101")
        assert quote is not None
        paths = [
            "/",
            "/briefs/",
            "/briefs/harbour",
            "/quotes/",
            f"/quotes/{quote.slug}",
            "/editions/",
            "/feeds/",
            "/robots.txt",
            "/nothing",
        ]
        paths += [f"/editions/digest/{number}" for number in (1, 2, 3)]
        showing = set()
        for path in paths:
            answer = httpx.get(serving.url + path, follow_redirects=True)
            assert not ANY.search(str(answer.headers)), path
            if ANY.search(answer.text):
                showing.add(path)
                page = html.fromstring(answer.text)
                outside = page.xpath("//head//text() | //head//@content | //@alt | //@title | //@href | //comment()")
                assert not ANY.search(" ".join(map(str, outside))), path
                shown = " ".join(page.text_content().split())
                assert shown.lower().index(LABEL.lower()) < shown.lower().index(RARE[0]), path
    assert f"/quotes/{quote.slug}" in showing
    assert showing <= {f"/quotes/{quote.slug}", *(path for path in paths if path.startswith("/editions/digest/"))}


def test_the_audit_log_the_attempts_and_the_marks_hold_no_word_of_it(ran: Publication) -> None:
    database = sqlite3.connect(ran.root / "var/syndicate.db")
    for table in ("audit", "attempt", "fault", "slot", "hold", "meta", "sending", "delivery", "day_quote", "edition"):
        for row in database.execute(f"SELECT * FROM {table}"):
            assert not ANY.search(repr(row)), table
    database.close()
