"""A channel that sends nothing: it writes the exact request that the outlet it is like would have got to ``var/outbox/``."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from syndicate import channels
from syndicate.channels.posting import PostingSettings
from syndicate.errors import Refused, Unreachable
from syndicate.model import Amendment, Document, Finding, Message, Parcel, Post, Receipt, Request, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What stands in for an account that is not there. Nothing is ever asked of these hosts: `.invalid` cannot exist (RFC 2606).
_STAND_INS: Final[Mapping[str, str]] = {
    "url": "https://outbox.invalid",
    "host": "localhost",
    "handle": "outbox.invalid",
    "secret": "whsec_" + "b3V0Ym94" * 4,  # signs nothing that leaves
}
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z]")


class OutboxSettings(BaseModel):
    """[channels.NAME] with kind = "outbox": ``like`` and any setting of that kind."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = "outbox"
    like: str  # "x", "mastodon", "bluesky", "smtp"

    @model_validator(mode="after")
    def _fit_their_kind(self) -> OutboxSettings:
        known = sorted(set(channels.kinds()) - {"outbox"})
        if self.like not in known:
            msg = f"`like` is one of {', '.join(known)}"
            raise ValueError(msg)
        self.theirs()
        return self

    def theirs(self) -> Any:  # noqa: ANN401 - the settings of whichever kind
        """The settings of the channel that this one is like; what is missing has a stand-in."""
        model = channels.kinds()[self.like].Settings
        given = self.model_extra or {}
        needed = {
            name: _STAND_INS.get(name, "outbox")
            for name, field in model.model_fields.items()
            if field.is_required() or name == "secret"
        }
        try:
            return model.model_validate({**needed, **given, **({"kind": self.like} if "kind" in model.model_fields else {})})
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}" for fault in error.errors())
            msg = "; ".join(faults)
            raise ValueError(msg) from error


class Outbox:
    """Obeys the limits of the outlet it is like, and keeps everything on this machine."""

    kind: ClassVar[str] = "outbox"
    carries: ClassVar[str] = "post"  # each one says what it carries: as its like does
    Settings: ClassVar[type[OutboxSettings]] = OutboxSettings

    def __init__(self, name: str, settings: OutboxSettings, *, folder: Path, now: Callable[[], datetime]) -> None:
        """Build the channel that this one is like, with stand-ins for its account."""
        self.name = name
        self.local = True
        self.like = self.network = settings.like
        self._like = channels.kinds()[settings.like](name, settings.theirs(), folder=folder, now=now)
        self.carries = self._like.carries  # type: ignore[misc]  # differs by instance, here alone
        self.limits = self._like.limits
        self.posting = self._like.posting if isinstance(self._like, channels.Posts) else PostingSettings()
        self._folder = folder / "var" / "outbox" / name
        self._root = folder

    def request(self, parcel: Parcel, key: str) -> Request:
        """What the outlet it is like would put on the wire."""
        return self._like.request(parcel, key)

    def send(self, parcel: Parcel, key: str) -> Receipt:
        """Write the request. The same key again gives the same receipt, and the file is left alone.

        Raises
        ------
        Unreachable
            The file could not be written.
        """
        request = self.request(parcel, key)
        path = self._path(parcel, key, request)
        self._keep(path, request)
        return self._receipt(path)

    def reconcile(self, parcel: Parcel, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - a file's name says it all
        """Whether the file is there."""
        path = self._path(parcel, key, self.request(parcel, key))
        return self._receipt(path) if path.exists() else None

    def delete_request(self, remote_id: str) -> Request:
        """What the outlet it is like would be asked, under the name of the file that stands for the post."""
        if not isinstance(self._like, channels.Deletes):
            msg = f"{self.like} cannot delete"
            raise Refused(msg)
        return self._like.delete_request(Path(remote_id).stem)

    def delete(self, remote_id: str) -> Receipt:
        """Write the request that deletes beside the post's own file; the same again is left alone.

        Raises
        ------
        Refused
            Its outlet cannot delete.
        Unreachable
            The file could not be written.
        """
        path = (self._root / remote_id).with_suffix(".delete.http")
        self._keep(path, self.delete_request(remote_id))
        return self._receipt(path)

    def way(self, posted: datetime, now: datetime) -> Way:
        """As its outlet would put a post right."""
        return self._like.way(posted, now) if isinstance(self._like, channels.Amends) else "post"

    def amend_request(self, amendment: Amendment, key: str) -> Request:
        """What its outlet would be asked, under the name of the file that stands for the post."""
        if not isinstance(self._like, channels.Amends):
            msg = f"{self.like} puts no post right"
            raise Refused(msg)
        return self._like.amend_request(replace(amendment, remote_id=Path(amendment.remote_id).stem), key)

    def amend(self, amendment: Amendment, key: str) -> Receipt:
        """Write the request that puts right beside the post's own file; the same again is left alone.

        Raises
        ------
        Refused
            Its outlet puts no post right.
        Unreachable
            The file could not be written.
        """
        path = self._amended(amendment, key)
        self._keep(path, self.amend_request(amendment, key))
        return self._receipt(path)

    def find_amendment(self, amendment: Amendment, key: str, since: datetime) -> Receipt | None:  # noqa: ARG002 - a file's name says it all
        """Whether the file is there."""
        path = self._amended(amendment, key)
        return self._receipt(path) if path.exists() else None

    def stands(self, remote_id: str) -> bool:
        """Whether the file that stands for a post is there."""
        return (self._root / remote_id).exists()

    @property
    def budget(self) -> float:
        """As its outlet's settings say."""
        return self._like.budget if isinstance(self._like, channels.Charges) else 0.0

    def price(self, what: str, text: str = "") -> float:
        """As its outlet would charge."""
        return self._like.price(what, text) if isinstance(self._like, channels.Charges) else 0.0

    def reads(self) -> int:
        """None: nothing is asked."""
        return 0

    def forget(self, address: str) -> int:
        """Delete every mail to an address; returns how many. Its reader was erased."""
        gone = 0
        for path in sorted(self._folder.rglob("*.eml")):
            to = str(BytesHeaderParser().parsebytes(path.read_bytes()).get("To", ""))
            if parseaddr(to)[1].casefold() == address.casefold():
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def doctor(self) -> list[Finding]:
        """Whether the folder can be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            what = f"{self._folder} cannot be written ({error.strerror})"
            return [Finding(ok=False, what=what, advice="Check who may write there, and the space on the disk.")]
        return [Finding(ok=True, what=f"writes what {self.like} would get to {self._folder}; nothing leaves this machine")]

    def close(self) -> None:
        """Let go of the channel that this one is like."""
        self._like.close()

    def _keep(self, path: Path, request: Request) -> None:
        try:
            _write(path, _wire(request))
        except OSError as error:
            reason = (
                "the disk is full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else error.strerror or "input/output error"
            )
            msg = f"The outbox could not be written: {reason}."
            raise Unreachable(msg, advice=f"Make room, or check who may write to {self._folder}.") from error

    def _amended(self, amendment: Amendment, key: str) -> Path:
        stands = self._root / amendment.remote_id
        return stands.with_name(f"{stands.stem}.{amendment.way}-{_UNSAFE.sub('', key)[:12]}.http")

    def _path(self, parcel: Parcel, key: str, request: Request) -> Path:
        moment = _moment(parcel).astimezone(UTC)
        short = _UNSAFE.sub("", key)[:12]
        suffix = ".eml" if request.suffix == ".eml" else ".http"
        return self._folder / f"{moment:%Y-%m-%d}" / f"{moment:%H%M%S}-{short}{suffix}"

    def _receipt(self, path: Path) -> Receipt:
        return Receipt(remote_id=path.relative_to(self._root).as_posix())


def _moment(parcel: Parcel) -> datetime:
    """The parcel's own time, so that writing it again finds the same file."""
    if isinstance(parcel, Post):
        return parcel.created
    if isinstance(parcel, Document):
        return parcel.updated
    assert isinstance(parcel, Message)
    return parsedate_to_datetime(str(BytesHeaderParser().parsebytes(parcel.data)["Date"]))


def _wire(request: Request) -> bytes:
    """A mail as it is; a web request as HTTP/1.1 would carry it (RFC 9112), its body byte for byte at the end."""
    if request.suffix == ".eml":
        return request.body
    parts = urlsplit(request.url)
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    headers = {"Host": parts.netloc, **request.headers}
    if not any(name.lower() == "content-length" for name in headers):
        headers["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + request.body


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing, and on the disk before it has its name."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
