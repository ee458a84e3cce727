"""Plots as the numbers that an SVG is drawn from: no style, no script, no library. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, log10
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from syndicate.store.readership import Week

_LEFT: Final = 48.0
_RIGHT: Final = 748.0
_TOP: Final = 20.0
_FLOOR: Final = 200.0  # of the progress plot
_ZERO: Final = 96.0  # of the growth plot
_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)  # minutes between two ticks


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How an edition went out, minute by minute."""

    line: str  # an SVG path
    forecast: str  # the same, dashed; "" where nothing is open
    now: float | None  # where it stands; None where it is done
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    says: str  # all of it in words


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One week."""

    x: float
    width: float
    y: float  # of who joined
    height: float
    depth: float  # of who left
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """Who joined and who left, week by week."""

    bars: tuple[Bar, ...]
    up: tuple[Tick, ...]
    across: tuple[Tick, ...]
    says: str
    height: float  # of the drawing


def progress(
    minutes: Sequence[tuple[datetime, int]], audience: int, now: datetime, ends: datetime | None, zone: ZoneInfo
) -> Progress | None:
    """The plot of ``(minute, sent in it)``, with a forecast to ``ends`` where something is open; ``None`` without a line."""
    if not minutes:
        return None
    begin = minutes[0][0]
    finish = max(minutes[-1][0] + timedelta(minutes=1), ends or begin, begin + timedelta(minutes=2))
    finish = min(finish, begin + timedelta(days=2))
    whole = (finish - begin).total_seconds()

    def x(at: datetime) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, (at - begin).total_seconds() / whole), 1)

    def y(n: float) -> float:
        return round(_FLOOR - (_FLOOR - _TOP) * n / audience, 1)

    total, points, last = 0, [f"M{_LEFT:g} {_FLOOR:g}"], begin
    for minute, n in minutes:
        if minute > last:
            points.append(f"L{x(minute)} {y(total)}")  # nothing was sent in between
        total += n
        last = minute + timedelta(minutes=1)
        points.append(f"L{x(last)} {y(total)}")
    end = ends if ends is not None and ends > last else None
    half = audience // 2
    return Progress(
        line=" ".join(points),
        forecast=f"M{x(last)} {y(total)} L{x(end)} {_TOP:g}" if end else "",
        now=x(last) if end and last <= now else None,
        across=_times(begin, finish, x, zone),
        up=(Tick(at=_TOP, says=f"{audience:,}"), Tick(at=y(half), says=f"{half:,}"), Tick(at=_FLOOR, says="0")),
        says=f"{total:,} of {audience:,} sent by {last.astimezone(zone):%H:%M}"
        + (f", all by about {end.astimezone(zone):%H:%M}" if end else ""),
    )


def _times(begin: datetime, finish: datetime, x: Callable[[datetime], float], zone: ZoneInfo) -> tuple[Tick, ...]:
    minutes = (finish - begin).total_seconds() / 60
    step = next((step for step in _STEPS if minutes / step <= 8), _STEPS[-1])  # noqa: PLR2004 - labels that stand apart
    ticks = []
    at = begin
    while at <= finish:
        ticks.append(Tick(at=x(at), says=f"{at.astimezone(zone):%H:%M}"))
        at += timedelta(minutes=step)
    return tuple(ticks)


def growth(weeks: Sequence[Week], zone: ZoneInfo) -> Growth | None:
    """Bars above the line for who joined, below it for who left; ``None`` where nobody did either."""
    most = max((max(week.joined, week.left) for week in weeks), default=0)
    if not most:
        return None
    top = _round_up(max(week.joined for week in weeks) or 1)
    scale = (_ZERO - _TOP) / max(top, most)
    room = (_RIGHT - _LEFT) / len(weeks)
    bars = tuple(
        Bar(
            x=round(_LEFT + number * room + room * 0.15, 1),
            width=round(room * 0.7, 1),
            y=round(_ZERO - week.joined * scale, 1),
            height=round(week.joined * scale, 1),
            depth=round(week.left * scale, 1),
            says=f"{_day(week.begins, zone)}: {week.joined:,} joined, {week.left:,} left",
        )
        for number, week in enumerate(weeks)
    )
    joined, left = sum(week.joined for week in weeks), sum(week.left for week in weeks)
    up = [Tick(at=round(_ZERO - top * scale, 1), says=f"{top:,}"), Tick(at=_ZERO, says="0")]
    ends = (weeks[0], weeks[len(weeks) // 2], weeks[-1])
    places = (_LEFT, (_LEFT + _RIGHT) / 2, _RIGHT)
    across = tuple(Tick(at=place, says=_day(week.begins, zone)) for place, week in zip(places, ends, strict=True))
    return Growth(
        bars=bars,
        up=tuple(up),
        across=across,
        says=f"{joined:,} joined and {left:,} left in {len(weeks)} weeks",
        height=_ZERO + max(bar.depth for bar in bars) + 24,
    )


def _day(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b}"


def _round_up(n: int) -> int:
    """The next number of one figure: 7 stays, 83 becomes 90, 312 becomes 400."""
    unit: int = 10 ** max(0, int(log10(n)))
    return ceil(n / unit) * unit
