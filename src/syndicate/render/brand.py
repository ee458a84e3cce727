"""The design language of the mail as values: one place for colours and fonts, which ``[brand]`` overrides by name. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from syndicate.errors import Fault, RenderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BRAND: Final[Mapping[str, str]] = MappingProxyType(
    {
        "paper": "#ffffff",
        "paper_dark": "#1a1e22",
        "desk": "#eef0f1",
        "desk_dark": "#121518",
        "ink": "#1b1f24",
        "ink_dark": "#e7e5e0",
        "muted": "#555d66",
        "muted_dark": "#aab2ba",
        "link": "#124b7c",
        "link_dark": "#8fc4f0",
        "on_link": "#ffffff",
        "on_link_dark": "#10202e",
        "tray": "#edf0f2",
        "tray_dark": "#242a30",
        "frame": "#6f7982",
        "frame_dark": "#838e98",
        "band": "#36424d",
        "band_dark": "#46535f",
        "correction": "#7a4a00",
        "correction_dark": "#e6b566",
        "correction_ground": "#fbf5ea",
        "correction_ground_dark": "#2a251b",
        "withdrawn": "#8f1d2c",
        "withdrawn_dark": "#f29aa5",
        "withdrawn_ground": "#fbf0f0",
        "withdrawn_ground_dark": "#2d1f22",
        "hairline": "#ccd2d7",
        "hairline_dark": "#3b434b",
        "serif": "Charter, Georgia, Noto Serif, serif",
        "sans": "-apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
        "arabic": "Geeza Pro, Noto Naskh Arabic, Amiri, Traditional Arabic, serif",
    }
)
_LETTERS: Final = frozenset({"serif", "sans", "arabic"})

# What is read on what: ink, ground, and the ratio that WCAG 2.2 asks for (§1.4.3 text, §1.4.11 frames).
PAIRS: Final = (
    *(("ink", ground, 4.5) for ground in ("paper", "desk", "tray", "correction_ground", "withdrawn_ground")),
    *(("muted", ground, 4.5) for ground in ("paper", "desk", "tray")),
    *(("link", ground, 4.5) for ground in ("paper", "desk", "tray", "correction_ground", "withdrawn_ground")),
    ("on_link", "link", 4.5),
    ("correction", "correction_ground", 4.5),
    ("withdrawn", "withdrawn_ground", 4.5),
    ("frame", "paper", 3.0),
)
_BAND_TEXT: Final = "#ffffff"

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_FONTS: Final = re.compile(r"[A-Za-z0-9 ,-]+")  # without quotes: the inliner turns them into its own


def contrast(one: str, other: str) -> float:
    """How far two colours (``#rrggbb``) stand apart: 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)  # noqa: PLR2004 - sRGB
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def faint(brand: Mapping[str, str]) -> Iterator[Fault]:
    """Every pair of colours, light and dark, that does not stand apart far enough to be read."""
    for shade in ("", "_dark"):
        pairs = [(f"{ink}{shade}", f"{ground}{shade}", least) for ink, ground, least in PAIRS]
        measured = [(ink, ground, contrast(brand[ink], brand[ground]), least) for ink, ground, least in pairs]
        measured.append(("the label's white", f"band{shade}", contrast(_BAND_TEXT, brand[f"band{shade}"]), 4.5))
        for ink, ground, ratio, least in measured:
            if ratio < least:
                what = f"{ink} on {ground} has a contrast of {ratio:.1f}, and {least} is needed"
                yield Fault(file="config/syndicate.toml", rule=f"brand.{ground}", what=what, right="set colours further apart")


def brand_values(given: Mapping[str, object]) -> dict[str, str]:
    """The colours, and the fonts without quotes: the inliner turns quotes into its own and breaks the attribute."""
    named = {name: str(value) for name, value in given.items() if value}
    brand = {"logo": "", "logo_width": "", **BRAND, **named}
    for name in BRAND:
        value = re.sub("['\"]", "", brand[name]) if name in _LETTERS else brand[name]
        if not (_FONTS if name in _LETTERS else _COLOUR).fullmatch(value):
            what = f"`brand.{name}` is not {'a list of font names' if name in _LETTERS else 'a colour'}"
            raise RenderError(
                Fault(file="config/syndicate.toml", rule="brand", what=what, right=f"write it like {BRAND[name]}")
            )
        brand[name] = value
    return brand
