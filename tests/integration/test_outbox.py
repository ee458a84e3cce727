"""The outbox: byte-exact requests on this disk, and nothing anywhere else."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from syndicate import channels
from syndicate.channels.outbox import Outbox, OutboxSettings
from syndicate.channels.smtp import Smtp
from syndicate.errors import Unreachable
from syndicate.model import Limits, Message, Parcel, Post, Request

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2027, 1, 1, tzinfo=UTC)
KEY = "ab12" * 16
BODY = json.dumps({"status": "Zwei Brüder, eine Zeitung \r\n\r\n"}, ensure_ascii=False).encode()


class PigeonSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: str = "pigeon"
    url: str
    token: SecretStr
    loft: int = 1


class Pigeon:
    """A network of its own kind, for these tests."""

    kind: ClassVar[str] = "pigeon"
    carries: ClassVar[str] = "post"
    Settings: ClassVar[type[PigeonSettings]] = PigeonSettings
    limits = Limits(counting="codepoints", text=100)

    def __init__(self, name: str, settings: PigeonSettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        self.settings = settings

    def request(self, parcel: Parcel, key: str) -> Request:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        return Request(method="POST", url=f"{self.settings.url}/api/fly?x=1", headers=headers, body=BODY)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def known_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {"smtp": Smtp, "pigeon": Pigeon, "outbox": Outbox}
    monkeypatch.setattr(channels, "kinds", lambda: kinds)


def outbox(root: Path, like: str = "pigeon", **over: Any) -> Outbox:
    return Outbox("flock", OutboxSettings(like=like, **over), folder=root, now=lambda: NOW)


def post(text: str = "Two brothers, one paper") -> Post:
    created = datetime(2026, 11, 23, 0, 30, 5, tzinfo=UTC)
    return Post(item="tag:example.org,2015:brief/a", text=text, link="https://example.org/a", lang="en", created=created)


def mail() -> Message:
    data = b"From: a@example.org\r\nDate: Mon, 23 Nov 2026 07:00:00 +0100\r\n\r\n.dots stay single\r\n"
    return Message(sender="a@example.org", recipient="b@example.org", data=data, message_id="1@example.org")


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_post_is_written_as_the_request_that_would_have_left(tmp_path: Path) -> None:
    receipt = outbox(tmp_path, url="https://birds.example").send(post(), KEY)
    (path,) = files(tmp_path)
    assert receipt.remote_id == "var/outbox/flock/2026-11-23/003005-ab12ab12ab12.http"
    assert path == tmp_path / receipt.remote_id
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    assert body == BODY
    assert head.decode().split("\r\n") == [
        "POST /api/fly?x=1 HTTP/1.1",
        "Host: birds.example",
        "Content-Type: application/json",
        f"Idempotency-Key: {KEY}",
        f"Content-Length: {len(BODY)}",
    ]


def test_a_mail_is_written_as_the_exact_data(tmp_path: Path) -> None:
    receipt = outbox(tmp_path, "smtp").send(mail(), KEY)
    assert receipt.remote_id == "var/outbox/flock/2026-11-23/060000-ab12ab12ab12.eml"
    assert (tmp_path / receipt.remote_id).read_bytes() == mail().data


def test_writing_the_same_key_again_changes_nothing(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    first = box.send(post(), KEY)
    (path,) = files(tmp_path)
    os.utime(path, ns=(1, 1))
    inode = path.stat().st_ino
    assert box.send(post(), KEY) == first
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (1, inode)
    assert files(tmp_path) == [path]


def test_reconcile_knows_what_was_written(tmp_path: Path) -> None:
    box = outbox(tmp_path)
    assert box.reconcile(post(), KEY, NOW) is None
    receipt = box.send(post(), KEY)
    assert box.reconcile(post(), KEY, NOW) == receipt
    assert box.reconcile(post(), "f" * 64, NOW) is None


def test_it_carries_and_is_limited_as_its_like(tmp_path: Path) -> None:
    assert outbox(tmp_path).carries == "post"
    assert outbox(tmp_path, "smtp").carries == "message"
    assert outbox(tmp_path).carries == "post"
    assert outbox(tmp_path).limits == Pigeon.limits
    assert outbox(tmp_path).local
    assert isinstance(outbox(tmp_path), channels.Channel)


def test_settings_of_its_like_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="lofft"):
        OutboxSettings(like="pigeon", lofft=3)
    with pytest.raises(ValidationError, match="pigeon, smtp"):
        OutboxSettings(like="pidgeon")
    with pytest.raises(ValidationError, match="like"):
        OutboxSettings(like="outbox")


@pytest.mark.parametrize("when", ["write", "rename"])
def test_a_full_disk_is_a_clear_line_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    box = outbox(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if when == "write" else (Path, "replace")), full)
        with pytest.raises(Unreachable, match="the disk is full"):
            box.send(post(), KEY)
    assert files(tmp_path) == []
    assert box.send(post(), KEY)


def test_doctor_tells_whether_the_folder_can_be_written(tmp_path: Path) -> None:
    assert all(finding.ok for finding in outbox(tmp_path).doctor())
    (tmp_path / "other").write_text("a file stands where the folder would be")
    (finding,) = outbox(tmp_path / "other").doctor()
    assert not finding.ok
    assert finding.advice


def test_a_key_cannot_leave_the_folder(tmp_path: Path) -> None:
    receipt = outbox(tmp_path).send(post(), "../../../../etc/passwd")
    assert receipt.remote_id == "var/outbox/flock/2026-11-23/003005-etcpasswd.http"
