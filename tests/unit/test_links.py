"""Signed links: ours, for one purpose, with any key that ever signed, and for as long as they say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from syndicate import links
from syndicate.links import FreshToken, ReaderToken

OLD = {1: b"a" * 32}
KEYS = {**OLD, 2: b"b" * 32}
TOKEN = ReaderToken(subscriber=2**40 - 1, newsletter=2**16 - 1)
FRESH = FreshToken(token=TOKEN, until=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def test_a_link_is_short_and_comes_back() -> None:
    text = links.sign(TOKEN, KEYS)
    assert len(text) == 22
    assert links.verify(text, KEYS) == TOKEN


def test_a_link_of_an_old_key_verifies_and_one_of_a_lost_key_does_not() -> None:
    old, new = links.sign(TOKEN, OLD), links.sign(TOKEN, KEYS)
    assert links.verify(old, KEYS) == TOKEN
    assert links.verify(new, OLD) is None
    assert links.verify_fresh(links.sign_fresh(FRESH, OLD, "export"), KEYS, "export") == FRESH


def test_a_link_for_one_purpose_serves_no_other() -> None:
    assert links.verify(links.sign(TOKEN, KEYS), KEYS, "confirm") is None
    assert links.verify(links.sign(TOKEN, KEYS, "confirm"), KEYS) is None
    assert links.verify_fresh(links.sign_fresh(FRESH, KEYS, "export"), KEYS, "erase") is None
    assert links.stamped(links.sign(TOKEN, KEYS), KEYS) is None


@pytest.mark.parametrize("place", range(22))
def test_a_link_with_one_other_character_is_not_ours(place: int) -> None:
    text = links.sign(TOKEN, KEYS)
    for other in "AZaz09-_":
        changed = text[:place] + other + text[place + 1 :]
        assert changed == text or links.verify(changed, KEYS) is None


@pytest.mark.parametrize("text", ["", "=", "A" * 22, "A" * 21, "A" * 23, "é" * 22, "\x00", " " * 22, "A" * 10_000])
def test_what_is_no_link_is_refused(text: str) -> None:
    assert links.verify(text, KEYS) is None
    assert links.verify_fresh(text, KEYS, "export") is None
    assert links.stamped(text, KEYS) is None


def test_a_link_has_one_spelling() -> None:
    """Bits that base64 leaves over would make four spellings of each link."""
    text = links.sign(TOKEN, KEYS)
    assert links.verify(text + "==", KEYS) is None
    spelt = [text[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    assert sum(links.verify(one, KEYS) is not None for one in spelt) == 1


def test_a_forms_time_comes_back_to_the_second() -> None:
    at = datetime(2026, 11, 22, 12, 0, 7, 999, tzinfo=UTC)
    assert links.stamped(links.stamp(at, KEYS), KEYS) == at.replace(microsecond=0)
