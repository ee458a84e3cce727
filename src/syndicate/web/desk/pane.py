"""One rendering in a frame of its own: a document that may style itself and show pictures, and may do nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markupsafe import escape
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from starlette.responses import Response

_SHELL: Final = (
    '<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>{title}</title><style>{css}</style><body>{html}'
)
_ROOM: Final = "body{margin:0;padding:1rem}"


def whole(html: str, *, pictures: str = "") -> Response:
    """A finished document; ``pictures`` is the origin from which it may load them."""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: {pictures}".rstrip()
    return HTMLResponse(
        html,
        headers={
            "Content-Security-Policy": f"{policy}; sandbox; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
            "X-Frame-Options": "SAMEORIGIN",
        },
    )


def part(html: str, *, title: str, lang: str, css: str) -> Response:
    """A part of a page with the page's styles."""
    return whole(_SHELL.format(lang=escape(lang), title=escape(title), css=css + _ROOM, html=html))
