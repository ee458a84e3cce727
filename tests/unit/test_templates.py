"""Templates: what they may do, and what a fault says."""

from datetime import UTC, date, datetime

import pytest

from syndicate.errors import Held, RenderError
from syndicate.model import Words
from syndicate.render.templates import Templates, clock, count, date_long, day, first_upper, listing


def render(source: str, name: str = "email/x.html.j2", **values: object) -> str:
    return Templates({name: source}).render(name, **values)


def test_html_templates_escape_and_text_templates_do_not() -> None:
    assert render("{{ x }}", x="<b>&") == "&lt;b&gt;&amp;"
    assert render("{{ x }}", "email/x.txt.j2", x="<b>&") == "<b>&"


def test_a_partial_of_the_other_kind_keeps_its_own_escaping() -> None:
    templates = Templates({"a.html.j2": "{% include 'b.html.j2' %}{{ x }}", "b.html.j2": "{{ x }}"})
    assert templates.render("a.html.j2", x="<") == "&lt;&lt;"


def test_an_unknown_name_is_an_error_with_file_and_line() -> None:
    with pytest.raises(RenderError) as caught:
        render("one\ntwo\n{{ titel }}\n")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("templates/email/x.html.j2", 3)
    assert "titel" in fault.what


def test_an_error_inside_a_partial_names_the_partial() -> None:
    templates = Templates({"a.html.j2": "\n{% include 'b.html.j2' %}", "b.html.j2": "\n\n{{ 1 // zero }}"})
    with pytest.raises(RenderError) as caught:
        templates.render("a.html.j2", zero=0)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("templates/b.html.j2", 3)


def test_an_error_never_repeats_a_value() -> None:
    with pytest.raises(RenderError) as caught:
        render("{{ date(x) }}", date=int, x="the lantern keeps no ledger")
    assert "lantern" not in str(caught.value)


def test_a_syntax_error_names_file_and_line() -> None:
    with pytest.raises(RenderError) as caught:
        render("ok\n{% if %}")
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == ("templates/email/x.html.j2", 2)


def test_a_missing_template_suggests_the_nearest() -> None:
    with pytest.raises(RenderError, match="edition"):
        Templates({"email/edition.html.j2": ""}).render("email/editoin.html.j2")
    with pytest.raises(RenderError, match="edition"):
        list(Templates({"email/edition.html.j2": ""}).literals("email/editoin.html.j2"))


def test_held_passes_through_a_template_unchanged() -> None:
    def refuse() -> str:
        raise Held("no", rule="Q1")

    with pytest.raises(Held):
        render("{{ refuse() }}", refuse=refuse)


@pytest.mark.parametrize(
    "source",
    ["{{ w.reveal() }}", "{{ w._Words__text }}", "{{ w|attr('reveal') }}", "{{ w.__class__ }}"],
)
def test_a_template_cannot_open_sealed_words(source: str) -> None:
    with pytest.raises(RenderError) as caught:
        render(source, w=Words("the lantern keeps no ledger"))
    assert "lantern" not in str(caught.value)


def test_sealed_words_print_as_a_notice() -> None:
    assert "lantern" not in render("{{ w }} {{ w|string }} {{ [w] }}", w=Words("the lantern keeps no ledger"))


def test_the_sandbox_keeps_templates_away_from_python() -> None:
    with pytest.raises(RenderError):
        render("{{ ''.__class__.__mro__ }}")
    with pytest.raises(RenderError):
        render("{{ xs.append(1) }}", xs=[])


def test_check_reports_every_fault_of_every_file_with_its_line() -> None:
    faults = Templates(
        {
            "email/a.html.j2": "\n{% include 'email/_brif.html.j2' %}\n{{ x|dey }}",
            "email/_brief.html.j2": "{% if x is evn %}{% endif %}",
            "email/b.txt.j2": "{% for %}",
            "email/c.txt.j2": "{% include 'none' ignore missing %}{% break %}",
            "email/d.txt.j2": "{{ x|day }}",
        }
    ).check()
    places = [(fault.file.removeprefix("templates/email/"), fault.line) for fault in faults]
    assert places == [("_brief.html.j2", 1), ("a.html.j2", 2), ("a.html.j2", 3), ("b.txt.j2", 1), ("c.txt.j2", 1)]
    assert "did you mean `email/_brief.html.j2`" in str(faults[1])
    assert "did you mean `day`" in str(faults[2])


def test_dates_are_printed_in_the_zone_that_is_asked() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert day(late, "Europe/Berlin") == "23 November 2026"
    assert date_long(late) == "Sunday, 22 November 2026"
    assert date_long(late, "Europe/Berlin") == "Monday, 23 November 2026"
    assert day(date(2026, 3, 1), "Pacific/Kiritimati") == "1 March 2026"
    assert clock(late, "Europe/Berlin") == "00:30"


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(RenderError):
        render("{{ d|day }}", d=datetime(2026, 1, 1))  # noqa: DTZ001 - the mistake under test


def test_numbers_up_to_twelve_are_words() -> None:
    assert count(1, "brief", "briefs") == "one brief"
    assert count(12, "brief", "briefs") == "twelve briefs"
    assert count(13, "brief", "briefs") == "13 briefs"
    assert first_upper("one iPad") == "One iPad"
    assert listing(["a", "", "b", "c"]) == "a, b and c"
    assert listing(["a"]) == "a"
    assert listing([]) == ""


def test_names_are_listed_by_folder() -> None:
    templates = Templates({"email/b": "", "email/a": "", "pages/c": "x"})
    assert templates.names("email/") == ["email/a", "email/b"]
    assert "pages/c" in templates
    assert templates.source("pages/c") == "x"
