"""Logs hold ids in a fixed order: no person, no words, no secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

from syndicate import log
from syndicate.model import Words


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def written(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_facts_stand_in_their_order() -> None:
    stream = StringIO()
    log.configure(json=True, stream=stream)
    log.logger().info("delivery_sent", z=1, delivery="7.3", attempt=2, channel="mail", status="sent", run=5)
    (line,) = written(stream)
    assert list(line)[:7] == ["event", "status", "run", "channel", "delivery", "attempt", "z"]
    assert line["at"].endswith("Z")


@pytest.mark.parametrize(
    "key", ["address", "body", "words", "token", "password", "access_token", "to_address", "client_secret", "html"]
)
def test_what_a_log_must_not_hold_is_dropped(key: str) -> None:
    stream = StringIO()
    log.configure(json=True, stream=stream)
    log.logger().info("delivery_sent", delivery="7.3", facts={key: "hidden", "n": 1}, **{key: "hidden"})
    assert "hidden" not in stream.getvalue()
    assert written(stream)[0]["facts"] == {"n": 1}


def test_the_far_sides_words_lose_their_addresses() -> None:
    stream = StringIO()
    log.configure(json=True, stream=stream)
    log.logger().warning("delivery_failed", error="550 5.1.1 <joe@example.org>: unknown")
    logging.getLogger("uvicorn").warning("lost %s", "joe@example.org")
    assert "joe" not in stream.getvalue()
    assert [line["level"] for line in written(stream)] == ["warning", "warning"]


def test_nobodys_words_move_a_terminal_or_make_a_second_line() -> None:
    stream = StringIO()
    log.configure(stream=stream)
    log.logger().warning("delivery_failed", error="550\x1b[2J\x9b31m", source="a\u202eb.md")
    logging.getLogger("uvicorn").warning("bad\x1b[31m\n2026-11-22 delivery_sent")
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        log.logger().exception("page_failed")
    lines = stream.getvalue().splitlines()
    assert not set(stream.getvalue()) & set("\x1b\x9b\u202e")
    assert [line.split("]")[0].split("[")[-1].strip() for line in lines[:3]] == ["warning", "warning", "error"]
    assert lines[-1] == "ValueError: �[2J"


def test_sealed_words_stay_sealed_in_a_log() -> None:
    stream = StringIO()
    log.configure(json=True, stream=stream)
    log.logger().info("quote_chosen", item=Words("rare"))
    assert "rare" not in stream.getvalue()


@pytest.mark.parametrize(
    "name", ["tweepy", "httpx", "apscheduler", "uvicorn", "requests_oauthlib", "apscheduler.scheduler", "tweepy.client"]
)
def test_talkative_libraries_are_quiet_even_when_verbose(name: str) -> None:
    stream = StringIO()
    log.configure(verbose=True, stream=stream)
    logging.getLogger(name).info("Authorization: Bearer x")
    log.logger().debug("slot_expanded")
    assert "Bearer" not in stream.getvalue()
    assert "slot_expanded" in stream.getvalue()


def test_debug_events_show_only_when_verbose() -> None:
    stream = StringIO()
    log.configure(stream=stream)
    log.logger().debug("slot_expanded")
    assert not stream.getvalue()


def test_without_configuration_nothing_reaches_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    log.logger().info("tick_finished")
    captured = capsys.readouterr()
    assert not captured.out
    assert "tick_finished" in captured.err


def test_a_traceback_shows_no_values() -> None:
    stream = StringIO()
    log.configure(stream=stream)
    hidden = "rare words"
    try:
        raise RuntimeError(len(hidden))
    except RuntimeError:
        log.logger().exception("tick_failed")
    assert "RuntimeError" in stream.getvalue()
    assert "rare words" not in stream.getvalue().replace('hidden = "rare words"', "")
