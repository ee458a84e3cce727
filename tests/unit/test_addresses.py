"""Addresses as they are written and compared."""

from __future__ import annotations

import pytest

from syndicate.store.subscribers import normalised


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("Anna@Readers.Example", "anna@readers.example"),
        (" ANNA@READERS.EXAMPLE. ", "anna@readers.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("o'neil+news@r.example", "o'neil+news@r.example"),
    ],
)
def test_odd_spellings_of_one_address_compare_equal(written: str, compared: str) -> None:
    assert normalised(written)[1] == compared


@pytest.mark.parametrize(
    "written",
    [
        "a@@b.example", "a..b@b.example", ".a@b.example", "a.@b.example", "a" * 65 + "@b.example",
        "a" * 20 + "@" + ".".join(["b" * 60] * 4) + ".example", "a@127.0.0.1", "a@b", "a b@c.example", "a@b.example\r\nBcc: c@d.example",
    ],
)  # fmt: skip
def test_what_no_mail_server_takes_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"name@example\.org"):
        normalised(written)
