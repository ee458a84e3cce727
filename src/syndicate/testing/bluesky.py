"""A strict Bluesky server (PDS): sessions that expire, valid TIDs, graphemes and bytes, a record put twice has no effect."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import regex

from syndicate.testing.network import Answer, Asked, Network

HANDLE: Final = "sample.example"
APP_PASSWORD: Final = "samp-le00-pass-word"  # noqa: S105 - invented
DID: Final = "did:plc:samplesamplesamplesample"
_COLLECTION: Final = "app.bsky.feed.post"
_ACCESS: Final = timedelta(hours=2)
_REFRESH: Final = timedelta(days=90)
_GRACE: Final = timedelta(hours=2)
_TID: Final = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
_CID: Final = re.compile(r"baf[a-z2-7a-f0-9]{50,}")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_KNOWN: Final = frozenset({"$type", "text", "createdAt", "langs", "facets", "embed", "labels", "reply", "tags"})
_BLOB: Final = 50_000_000  # bytes that the server takes
_THUMB: Final = 1_000_000  # bytes that a card's picture may have
_GRAPHEMES: Final = 300
_BYTES: Final = 3000


class FakeBluesky(Network):
    """One server with one account."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """An account without a session."""
        super().__init__(now=now)
        self.records: dict[str, dict[str, Any]] = {}  # by rkey
        self.sessions = 0  # how often somebody signed in
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, datetime] = {}
        self._next: dict[str, Answer] = {}  # what each used refresh token has given
        self._made = 0

    def is_post(self, asked: Asked) -> bool:
        """A record that is put or created."""
        return asked.path in {"/xrpc/com.atproto.repo.putRecord", "/xrpc/com.atproto.repo.createRecord"}

    def answer(self, asked: Asked) -> Answer:
        """As a PDS does."""
        name = asked.path.removeprefix("/xrpc/com.atproto.")
        if (asked.method, name) == ("POST", "server.createSession"):
            return self._sign_in(asked)
        if (asked.method, name) == ("POST", "server.refreshSession"):
            return self._renew(_bearer(asked))
        if not _bearer(asked):
            return _error(401, "AuthMissing", "Authentication Required")
        until = self._access.get(_bearer(asked))
        if until is None:
            return _error(400, "InvalidToken", "Token could not be verified")
        if until <= self.now():
            return _error(400, "ExpiredToken", "Token has expired")
        calls = {
            ("GET", "server.getSession"): lambda _: Answer(data={"handle": HANDLE, "did": DID, "active": True}),
            ("GET", "repo.getRecord"): self._get,
            ("POST", "repo.putRecord"): self._put,
            ("POST", "repo.createRecord"): self._create,
            ("POST", "repo.deleteRecord"): self._delete,
            ("POST", "repo.uploadBlob"): self._upload,
        }
        call = calls.get((asked.method, name))
        return call(asked) if call else _error(501, "MethodNotImplemented", "Method Not Implemented")

    def throttled(self) -> Answer:
        """The reset is in Unix seconds."""
        reset = str(int((self.now() + self.reset).timestamp()))
        headers = {
            "ratelimit-limit": "5000",
            "ratelimit-remaining": "0",
            "ratelimit-reset": reset,
            "ratelimit-policy": "5000;w=3600",
        }
        return Answer(status=429, data={"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"}, headers=headers)

    def broken(self) -> Answer:
        """Nothing was accepted."""
        return _error(500, "InternalServerError", "Internal Server Error")

    def expire(self) -> None:
        """Let every access token run out."""
        self._access = dict.fromkeys(self._access, self.now())

    # -- sessions -------------------------------------------------------------------------------

    def _sign_in(self, asked: Asked) -> Answer:
        body = asked.json
        if not isinstance(body, dict) or (body.get("identifier"), body.get("password")) != (HANDLE, APP_PASSWORD):
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        self.sessions += 1
        return self._tokens()

    def _renew(self, token: str) -> Answer:
        """A refresh token that was used gives the same successors for two hours more, and then nothing."""
        until = self._refresh.get(token)
        if until is None or until <= self.now():
            return _error(400, "ExpiredToken", "Token has been revoked")
        if token not in self._next:
            self._next[token] = self._tokens()
            self._refresh[token] = self.now() + _GRACE
        return self._next[token]

    def _tokens(self) -> Answer:
        self._made += 1
        ends = {"exp": int((self.now() + _REFRESH).timestamp()), "jti": self._made}
        claims = base64.urlsafe_b64encode(json.dumps(ends).encode()).decode().rstrip("=")
        access, refresh = f"access-{self._made}", f"e30.{claims}.sample"
        self._access[access] = self.now() + _ACCESS
        self._refresh[refresh] = self.now() + _REFRESH
        return Answer(data={"accessJwt": access, "refreshJwt": refresh, "did": DID, "handle": HANDLE})

    # -- records --------------------------------------------------------------------------------

    def _get(self, asked: Asked) -> Answer:
        rkey = asked.query.get("rkey", "")
        if rkey not in self.records:
            return _error(400, "RecordNotFound", f"Could not locate record: {_uri(rkey)}")
        return Answer(data={"uri": _uri(rkey), "cid": _cid(self.records[rkey]), "value": self.records[rkey]})

    def _put(self, asked: Asked) -> Answer:
        body = asked.json
        fault = _put_fault(asked, body)
        fault = fault or self._missing(body["record"])
        if fault:
            return _error(400, "InvalidRequest", fault)
        rkey, record = body["rkey"], body["record"]
        told = {"uri": _uri(rkey), "cid": _cid(record), "validationStatus": "valid"}
        if self.records.get(rkey) == record:
            return Answer(data=told)  # a no-op: no commit
        if "swapRecord" in body and body["swapRecord"] is None and rkey in self.records:
            return _error(400, "InvalidSwap", f"Record was at {_cid(self.records[rkey])}")
        self.records[rkey] = record
        self.witness(id=rkey, text=record["text"], asked=asked, data=record)
        return Answer(data={**told, "commit": {"cid": _cid(body), "rev": rkey}})

    def _upload(self, asked: Asked) -> Answer:
        if self.refuses_pictures or not asked.headers.get("content-type", "").startswith("image/") or not asked.body:
            return _error(400, "InvalidRequest", "Invalid mime type")
        if len(asked.body) > _BLOB:
            return _error(413, "BlobTooLarge", "This file is too large.")
        digest = b"\x01\x55\x12\x20" + hashlib.sha256(asked.body).digest()
        cid = "b" + base64.b32encode(digest).decode().lower().rstrip("=")
        self.pictures[cid] = asked
        kind = asked.headers["content-type"]
        return Answer(data={"blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": kind, "size": len(asked.body)}})

    def _missing(self, record: dict[str, Any]) -> str:
        """A card's picture must have been uploaded, and be what the record says of it."""
        thumb = record.get("embed", {}).get("external", {}).get("thumb")
        if thumb is None:
            return ""
        known = self.pictures.get(thumb.get("ref", {}).get("$link", ""))
        return "" if known and len(known.body) == thumb.get("size") <= _THUMB else "Could not find blob"

    def _delete(self, asked: Asked) -> Answer:
        body = asked.json
        fault = _delete_fault(body)
        if fault:
            return _error(400, "InvalidRequest", fault)
        self.records.pop(body["rkey"], None)
        self.erase(body["rkey"])
        return Answer(data={})

    def _create(self, asked: Asked) -> Answer:
        body = asked.json
        if isinstance(body, dict) and body.get("rkey") in self.records:
            return self.broken()
        return self._put(asked)


def _delete_fault(body: Any) -> str:  # noqa: ANN401 - whatever the client sends
    if not isinstance(body, dict) or body.get("repo") not in {HANDLE, DID} or body.get("collection") != _COLLECTION:
        return "Input/repo must be the account, Input/collection the posts"
    return ""  # a key that cannot be there is as good as deleted


def _put_fault(asked: Asked, body: Any) -> str:  # noqa: ANN401 - whatever the client sends
    if not asked.headers.get("content-type", "").startswith("application/json") or not isinstance(body, dict):
        return "Request encoding (Content-Type) required but not provided"
    if body.get("repo") not in {HANDLE, DID} or body.get("collection") != _COLLECTION:
        return "Input/repo must be the account, Input/collection the posts"
    if not _TID.fullmatch(str(body.get("rkey", ""))):
        return "Invalid TID string"
    record = body.get("record")
    if not isinstance(record, dict) or record.get("$type") != _COLLECTION or set(record) - _KNOWN:
        return f"Invalid {_COLLECTION} record"
    return _record_fault(record)


def _record_fault(record: dict[str, Any]) -> str:
    """What the schema refuses; out-of-range facets it takes, as the real one does."""
    text, languages = record.get("text"), record.get("langs", [])
    if not isinstance(text, str) or not _MOMENT.fullmatch(str(record.get("createdAt", ""))):
        return f"Invalid {_COLLECTION} record: text and createdAt are required"
    if len(regex.findall(r"\X", text)) > _GRAPHEMES:
        return f"Invalid {_COLLECTION} record: Record/text must not be longer than {_GRAPHEMES} graphemes"
    if len(text.encode()) > _BYTES:
        return f"Invalid {_COLLECTION} record: Record/text must not be longer than {_BYTES} bytes"
    if len(languages) > 3 or not all(_LANGUAGE.fullmatch(language) for language in languages):  # noqa: PLR2004 - the schema's
        return f"Invalid {_COLLECTION} record: Record/langs must be at most three BCP 47 tags"
    card = record.get("embed", {}).get("external")
    if card is not None and not all(isinstance(card.get(name), str) for name in ("uri", "title", "description")):
        return f"Invalid {_COLLECTION} record: Record/embed/external must have uri, title and description"
    if "reply" in record and not all(_is_reference(record["reply"].get(name)) for name in ("root", "parent")):
        return f"Invalid {_COLLECTION} record: Record/reply must name root and parent by uri and cid"
    for facet in record.get("facets", []):
        index = facet.get("index", {})
        if not all(isinstance(index.get(name), int) and index[name] >= 0 for name in ("byteStart", "byteEnd")):
            return f"Invalid {_COLLECTION} record: Record/facets/index must be integers"
    return ""


def _is_reference(told: object) -> bool:
    """A ``com.atproto.repo.strongRef``."""
    return (
        isinstance(told, dict)
        and str(told.get("uri", "")).startswith("at://")
        and bool(_CID.fullmatch(str(told.get("cid", ""))))
    )


def _bearer(asked: Asked) -> str:
    return asked.headers.get("authorization", "").removeprefix("Bearer ")


def _uri(rkey: str) -> str:
    return f"at://{DID}/{_COLLECTION}/{rkey}"


def _cid(record: object) -> str:
    return "bafyrei" + hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:52]


def _error(status: int, error: str, message: str) -> Answer:
    return Answer(status=status, data={"error": error, "message": message})
