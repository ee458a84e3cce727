"""The whole way round by SMTP: a mail leaves, a server far away bounces it to our return path, and its reader gets no more."""

from __future__ import annotations

import smtplib
import socket
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

import returned
from publication import SETTINGS, Publication
from syndicate import cli
from syndicate.model import Frequency
from syndicate.store.subscribers import Wishes

HOME = "test.example"


class World:
    """Our relay, a far server that knows nobody called ann, and our own server, which puts bounces into a Maildir."""

    def __init__(self, box: Path) -> None:
        self.box = box
        self.taken: list[tuple[str, str]] = []  # envelope sender and recipient

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if address.startswith("cleo@"):
            return "550 5.1.1 there is no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        (to,) = envelope.rcpt_tos
        if to.endswith(f"@{HOME}"):
            (self.box / "new" / f"{len(list((self.box / 'new').iterdir()))}.way-in").write_bytes(envelope.original_content)
        else:
            self.taken.append((envelope.mail_from, to))
        return "250 2.0.0 taken"


def test_a_bounce_finds_its_way_back_and_so_does_a_refusal_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    relay = f'kind = "smtp"\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nrate = ""\n'
    settings = SETTINGS.replace('kind = "outbox"\nlike = "smtp"\n', relay)
    letter = Publication(
        root=tmp_path / "letter",
        settings=f'{settings}\n[web]\npublic_url = "https://letter.{HOME}"\n[returns]\naddress = "bounces@{HOME}"\nmaildir = "var/in"\n',
    )
    box = letter.root / "var/in"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    letter.begin("2026-11-22 12:00")
    letter.subscribe("2026-11-22 12:00", **dict.fromkeys(("ann", "ben", "cleo"), Wishes(frequency=Frequency.DAILY)))
    letter.brief("news", "2026-11-22T18:00:00+00:00")
    world = World(box)
    controller = Controller(world, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        letter.run("2026-11-23 06:00")
        paths = {to.partition("@")[0]: sender for sender, to in world.taken}
        assert set(paths) == {"ann", "ben"}
        assert paths["ann"] != paths["ben"]
        gone = returned.status_part("failed", "5.1.1", "550 5.1.1 user unknown")
        with smtplib.SMTP("127.0.0.1", port) as far:
            far.sendmail("", [paths["ann"]], returned.report("It failed.", gone, "", to=paths["ann"]))
        assert cli.main(["-C", str(letter.root), "bounces", "fetch"]) == 0
        letter.run("2026-11-23 06:01")
        with letter.opened("2026-11-23 07:00") as app:
            states = {one.address.partition("@")[0]: one.state for one in app.subscribers.listed()}
            assert states == {"ann": "suppressed", "ben": "active", "cleo": "suppressed"}
        letter.brief("more", "2026-11-23T18:00:00+00:00")
        letter.run("2026-11-23 18:00")
        letter.run("2026-11-24 06:00")
    finally:
        controller.stop()
    assert [to for _, to in world.taken[2:]] == ["ben@readers.example"]
    assert all(sender.startswith("bounces+") and len(sender.partition("@")[0]) <= 64 for sender, _ in world.taken)
