"""structlog, configured once, to standard error. Ids are logged; addresses, bodies, quotes and tokens are not.

An event is a past-tense word (``delivery_sent``), and its facts are keys in one fixed order.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

ORDER: Final = (
    *("event", "status", "run", "channel", "source", "item", "edition", "delivery", "subscriber"),
    *("attempt", "retry_at", "duration_ms", "error"),
)
# tweepy and its OAuth libraries print bearer tokens at DEBUG; the others tell what our own events tell better.
QUIET: Final = (
    *("apscheduler", "asyncio", "cssutils", "CSSUTILS", "httpcore", "httpx", "oauthlib", "premailer", "requests_oauthlib"),
    *("tweepy", "urllib3", "uvicorn", "uvicorn.access", "uvicorn.error"),
)
_SENSITIVE: Final = re.compile(
    r"(?:^|_)(?:address|addresses|authorization|body|cookie|credential|email|html|original|paraphrase|passphrase"
    r"|password|quote|recipient|recipients|secret|text|token|words)$"
)
# What a far side, a file's name or a library says may hold escape sequences, line ends and marks that turn text around.
CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_FREE_TEXT: Final = (
    "event",
    "error",
    "exception",
    "reason",
    "detail",
    "advice",
)  # where a library's or a far side's words may hold an address


def drop_sensitive(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out what a log must not hold, whoever handed it over, and mask addresses in a far side's words."""
    kept = {key: _without(value) for key, value in event.items() if not _SENSITIVE.search(key)}
    for key in _FREE_TEXT:
        if key in kept:
            kept[key] = _ADDRESS.sub("…@…", str(kept[key]))
    return kept


def _without(value: Any) -> Any:  # noqa: ANN401 - a logged value may be anything
    if isinstance(value, Mapping):
        return {key: _without(inner) for key, inner in value.items() if not _SENSITIVE.search(str(key))}
    return value


def without_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Nothing that a terminal obeys, and one line for each event but for the lines of a traceback."""

    def plain(key: str, value: str) -> str:
        return CONTROL.sub("�", value if key == "exception" else value.replace("\n", " "))

    return {key: plain(key, value) if isinstance(value, str) else value for key, value in event.items()}


def in_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The known keys first, in their order; then the rest as they were given."""
    first = {key: event[key] for key in ORDER if key in event}
    return first | {key: value for key, value in event.items() if key not in first}


def configure(*, json: bool = False, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send every event to ``stream`` (standard error as it stands when an event happens): a line for people, or JSON."""
    import structlog

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        drop_sensitive,
        without_controls,
        in_order,
    ]
    structlog.configure(
        processors=[*shared, _renderer(json=json, stream=stream)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(json=json, stream=stream)],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderer(*, json: bool, stream: TextIO | None) -> Any:  # noqa: ANN401 - structlog's processors share no type
    import structlog

    if json:
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.dev.ConsoleRenderer(
        colors=(stream or sys.stderr).isatty(),
        sort_keys=False,
        pad_event_to=24,
        timestamp_key="at",
        exception_formatter=structlog.dev.plain_traceback,  # never with the values of variables
    )


def logger() -> FilteringBoundLogger:
    """The logger of the product; configured for people where nobody has configured it."""
    import structlog

    if not structlog.is_configured():
        configure()
    bound: FilteringBoundLogger = structlog.get_logger()
    return bound
