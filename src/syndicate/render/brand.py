"""The design language of the mail as values: one place for colours and fonts, which ``[brand]`` overrides by name. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from syndicate.errors import Fault, RenderError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        "hairline": "#ccd2d7",
        "hairline_dark": "#3b434b",
        "serif": "Charter, Georgia, Noto Serif, serif",
        "sans": "-apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif",
        "arabic": "Geeza Pro, Noto Naskh Arabic, Amiri, Traditional Arabic, serif",
    }
)
_LETTERS: Final = frozenset({"serif", "sans", "arabic"})

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_FONTS: Final = re.compile(r"[A-Za-z0-9 ,-]+")  # without quotes: the inliner turns them into its own


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
