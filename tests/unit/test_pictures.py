"""A picture is made to fit a network: right way up, small enough, and silent about its maker."""

from __future__ import annotations

import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from syndicate.errors import RenderError
from syndicate.render.pictures import fit


def saved(picture: Image.Image, form: str, **more: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **more)
    return buffer.getvalue()


def noise(width: int, height: int) -> Image.Image:
    """What compresses worst."""
    return Image.frombytes("RGB", (width, height), random.Random(7).randbytes(width * height * 3))


def read(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_photograph_is_made_to_fit_bytes_and_sides() -> None:
    made = fit(saved(noise(900, 600), "PNG"), name="a.png", most_bytes=60_000, longest_side=800)
    assert len(made.data) <= 60_000
    assert (made.type, read(made.data).format) == ("image/jpeg", "JPEG")
    assert max(made.width, made.height) <= 800
    assert read(made.data).size == (made.width, made.height)
    assert abs(made.width / made.height - 1.5) < 0.02


def test_a_drawing_stays_exact_and_transparent() -> None:
    drawing = Image.new("RGBA", (300, 200), (0, 0, 0, 0))
    drawing.paste((200, 20, 20, 255), (50, 50, 90, 90))
    made = fit(saved(drawing, "PNG"), name="a.png", most_bytes=1_000_000, longest_side=2048)
    assert made.type == "image/png"
    assert read(made.data).convert("RGBA").tobytes() == drawing.tobytes()


def test_nothing_tells_on_the_maker_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x013B] = 6, "Sample camera", "Ines Okafor"
    data = saved(noise(120, 80), "JPEG", exif=exif, comment=b"secret note")
    assert b"Sample camera" in data
    made = fit(data, name="a.jpg", most_bytes=1_000_000, longest_side=2048)
    assert (made.width, made.height) == (80, 120)
    assert not read(made.data).getexif()
    for word in (b"Sample camera", b"Okafor", b"secret note"):
        assert word not in made.data


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = saved(noise(200, 200), "JPEG")
    assert fit(data, name="a", most_bytes=9000, longest_side=150) == fit(data, name="a", most_bytes=9000, longest_side=150)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"no picture", "cannot be read"),
        (b"", "cannot be read"),
        (saved(noise(40, 40), "PNG")[:200], "cannot be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read"),
        (bomb(8000, 8000), "64000000|8000 × 8000"),
        (bomb(30_000, 30_000), "far too many pixels"),
    ],
)
def test_what_is_no_picture_or_a_bomb_is_refused_by_name(data: bytes, word: str) -> None:
    with pytest.raises(RenderError, match=word) as refused:
        fit(data, name="content/media/a.png", most_bytes=1_000_000, longest_side=2048)
    assert "content/media/a.png" in str(refused.value)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_large_picture_is_never_copied_at_full_size(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty million pixels each copy would take 200 MB."""
    copied, copy = [], Image.Image.copy
    monkeypatch.setattr(Image.Image, "copy", lambda picture: copied.append(max(picture.size)) or copy(picture))
    large = saved(Image.new(mode, (1200, 900), 99), "PNG")
    copied.clear()
    fit(large, name="a.png", most_bytes=100_000, longest_side=300)
    assert copied
    assert max(copied) == 300


def test_what_cannot_fit_is_refused() -> None:
    with pytest.raises(RenderError, match="cannot be made to fit"):
        fit(saved(noise(100, 100), "PNG"), name="a", most_bytes=300, longest_side=2048)
