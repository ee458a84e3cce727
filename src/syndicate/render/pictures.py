"""A picture made to fit a network: right way up, small enough, with nothing about its maker. The door of Pillow.

Bytes in, bytes out. The same picture and the same bounds give the same bytes under one version of Pillow.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from syndicate.errors import Fault, RenderError

if TYPE_CHECKING:
    from PIL import Image

_MOST_PIXELS: Final = 50_000_000  # a small file that unpacks to more is a bomb, or nothing for the web
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
_QUALITIES: Final = (90, 82, 74, 66)
_STEP: Final = 0.8
_SHRINKABLE: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})  # modes that keep their looks when they are made smaller
_SMALLEST: Final = 64  # px: below that no picture is left


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """A picture as a network takes it."""

    data: bytes
    type: str  # "image/jpeg" or "image/png"
    width: int  # px
    height: int  # px


def fit(data: bytes, *, name: str, most_bytes: int, longest_side: int) -> Fitted:
    """``data`` as JPEG, or as PNG where it has transparent or few colours; EXIF and every other note in it is left behind.

    Raises
    ------
    RenderError
        No picture that we read, or one of more than 50 million pixels; ``name`` is told.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    raise _fault(
                        name, f"it has {opened.width} × {opened.height} pixels", "make it smaller than 50 million pixels"
                    )
                picture = _upright(opened, longest_side)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _fault(name, "it unpacks to far too many pixels", "make it smaller than 50 million pixels") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _fault(name, "it cannot be read as a picture", "save it as PNG, JPEG, WebP or GIF") from error
    return _shrunk(picture, name, most_bytes, longest_side)


def _upright(opened: Image.Image, longest_side: int) -> Image.Image:
    """The first frame, turned as its EXIF says, in plain colours and no longer than ``longest_side``.

    It is made smaller before anything else: each copy at full size would take four bytes for each of its pixels.
    """
    from PIL import ImageOps

    clear = "A" in opened.getbands() or "transparency" in opened.info
    mode = "RGBA" if clear else "RGB"
    small = opened if opened.mode in _SHRINKABLE and "transparency" not in opened.info else opened.convert(mode)
    small.thumbnail((longest_side, longest_side))
    return ImageOps.exif_transpose(small).convert(mode)


def _shrunk(picture: Image.Image, name: str, most_bytes: int, longest_side: int) -> Fitted:
    """At full size as PNG or in falling quality, then ever smaller."""
    side = min(longest_side, max(picture.size))
    while side >= _SMALLEST:
        sized = picture.copy()
        sized.thumbnail((side, side))
        for kind, raw in _forms(sized):
            if len(raw) <= most_bytes:
                return Fitted(data=raw, type=kind, width=sized.width, height=sized.height)
        side = int(side * _STEP)
    raise _fault(name, f"it cannot be made to fit {most_bytes:,} bytes", "use a simpler or a larger picture")


def _forms(sized: Image.Image) -> list[tuple[str, bytes]]:
    """What to try, the best first: drawings as PNG, everything as JPEG on white."""
    from PIL import Image

    forms: list[tuple[str, bytes]] = []
    if sized.mode == "RGBA" or sized.getcolors(256) is not None:
        forms.append(("image/png", _saved(sized, "PNG", optimize=True)))
    flat = sized
    if sized.mode == "RGBA":
        flat = Image.new("RGB", sized.size, "white")
        flat.paste(sized, mask=sized.getchannel("A"))
    return forms + [("image/jpeg", _saved(flat, "JPEG", quality=quality, progressive=True)) for quality in _QUALITIES]


def _saved(picture: Image.Image, form: str, **more: int) -> bytes:
    bare = picture.copy()
    bare.info.clear()  # comments, EXIF, XMP
    buffer = io.BytesIO()
    bare.save(buffer, form, **more)
    return buffer.getvalue()


def _fault(name: str, what: str, right: str) -> RenderError:
    return RenderError(Fault(file=name, rule="picture", what=what, right=right))
