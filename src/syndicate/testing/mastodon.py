"""A strict Mastodon: its length rule by a count of its own, keys that live an hour, ISO rate headers, own statuses.

``software="gotosocial"`` counts code points at full length, ignores the key, and says the same in its instance as the real one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import regex

from syndicate.testing.network import Answer, Asked, Network, Witnessed

TOKEN: Final = "sample-mastodon-token"  # noqa: S105 - invented
_KEPT: Final = timedelta(hours=1)
_URL: Final = re.compile(r"https?://[^\s<>\"“”«»]+[^\s<>\"“”«».,;:!?)]")
_REMOTE: Final = re.compile(r"(?<!\w)(@\w+)@[\w.-]+\w")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_VISIBILITIES: Final = frozenset({"public", "unlisted", "private", "direct"})
_TAKEN: Final = frozenset({"status", "visibility", "language", "spoiler_text", "sensitive", "in_reply_to_id", "media_ids"})


class FakeMastodon(Network):
    """One server with one account."""

    def __init__(
        self, *, software: str = "mastodon", max_characters: int = 500, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """A server of that make and that limit."""
        super().__init__(now=now)
        self.software = software
        self.max_characters = max_characters
        self.edits: list[str] = []  # ids of what was changed, in order
        self._keys: dict[str, tuple[Witnessed, datetime]] = {}

    def is_post(self, asked: Asked) -> bool:
        """A new status."""
        return (asked.method, asked.path) == ("POST", "/api/v1/statuses")

    def answer(self, asked: Asked) -> Answer:
        """As Mastodon does."""
        open_pages: dict[str, Callable[[], Answer]] = {
            "/api/v2/instance": self._instance,
            "/.well-known/nodeinfo": self._nodeinfo,
            "/nodeinfo/2.0": lambda: Answer(data={"version": "2.0", "software": {"name": self.software, "version": "4.5.0"}}),
        }
        if asked.method == "GET" and asked.path in open_pages:
            return open_pages[asked.path]()
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(status=401, data={"error": "The access token is invalid"})
        if self.is_post(asked):
            return self._create(asked)
        if asked.path == "/api/v2/media" or asked.path.startswith("/api/v1/media/"):
            return self._picture(asked)
        if asked.path == "/api/v1/accounts/verify_credentials":
            return Answer(data={"id": "7", "acct": "sample", "username": "sample", "bot": True})
        if asked.path == "/api/v1/apps/verify_credentials":
            return Answer(data={"name": "syndicate", "scopes": ["read", "write:statuses", "write:media"]})
        if asked.path == "/api/v1/accounts/7/statuses":
            return self._statuses(asked)
        if asked.method in {"GET", "PUT"} and (found := re.fullmatch(r"/api/v1/statuses/(\d+)", asked.path)):
            return self._one(asked, found[1])
        if asked.method == "DELETE" and self.erase(asked.path.removeprefix("/api/v1/statuses/")):
            return Answer(data={"id": asked.path.rpartition("/")[2], "text": "as it was written"})
        return Answer(status=404, data={"error": "Record not found"})

    def throttled(self) -> Answer:
        """The reset is an ISO 8601 time."""
        reset = _stamp(self.now() + self.reset)
        headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
        return Answer(status=429, data={"error": "Too many requests"}, headers=headers)

    def _create(self, asked: Asked) -> Answer:
        key = asked.headers.get("idempotency-key", "")
        known = self._keys.get(key) if key else None  # who sends none gets a new status each time
        if self.software == "mastodon" and known is not None and self.now() - known[1] < _KEPT:
            return Answer(data=known[0].data)
        body = asked.json
        fault = self._fault(asked, body)
        if fault:
            return Answer(status=422 if self.software == "mastodon" else 400, data={"error": fault})
        number = str(110_000_000_000_000_000 + len(self.posts))
        data = {
            "id": number,
            "created_at": _stamp(self.now()),
            "url": f"{self.url}/@sample/{number}",
            "content": f"<p>{_linked(body['status'])}</p>",
            "spoiler_text": body.get("spoiler_text", ""),
            "sensitive": bool(body.get("spoiler_text")),
            "language": body.get("language"),
            "visibility": body.get("visibility", "public"),
            "media_attachments": [{"id": number} for number in body.get("media_ids", [])],
        }
        self._keys[key] = (self.witness(id=number, text=body["status"], asked=asked, data=data), self.now())
        return Answer(data=data)

    def _one(self, asked: Asked, number: str) -> Answer:
        """Show one status, or change it where it stands: its id stays, and what is not named is taken off."""
        known = next((post for post in self.standing if post.id == number), None)
        if known is None:
            return Answer(status=404, data={"error": "Record not found"})
        if asked.method == "GET":
            return Answer(data=known.data)
        body = asked.json
        fault = "visibility cannot be changed" if isinstance(body, dict) and "visibility" in body else self._fault(asked, body)
        if fault:
            return Answer(status=422, data={"error": fault})
        kept = [one for one in known.data["media_attachments"] if one["id"] in body.get("media_ids", [])]
        changed = {
            **known.data,
            "content": f"<p>{_linked(body['status'])}</p>",
            "spoiler_text": body.get("spoiler_text", ""),
            "sensitive": bool(body.get("spoiler_text")),
            "media_attachments": kept,
            "edited_at": _stamp(self.now()),
        }
        if (known.text, known.data["spoiler_text"]) != (body["status"], changed["spoiler_text"]):
            self.edits.append(number)
            self.posts[self.posts.index(known)] = replace(known, text=body["status"], data=changed)
        return Answer(data=changed)

    def _attachable(self) -> set[str]:
        """Uploads, and what stands with a status already."""
        return {*self.pictures, *(one["id"] for post in self.posts for one in post.data["media_attachments"])}

    def _picture(self, asked: Asked) -> Answer:
        """An upload is worked on for a while: 202, then 206, then 200 with its address."""
        if asked.method == "POST":
            kind = re.fullmatch(r"multipart/form-data; boundary=([\w'()+,./:=?-]{1,70})", asked.headers.get("content-type", ""))
            parts = asked.body.split(b"--" + kind[1].encode()) if kind else []
            words = next((part for part in parts if b'name="description"' in part), b"")
            file = next((part.partition(b"\r\n\r\n")[2] for part in parts if b'name="file"' in part), b"")
            if self.refuses_pictures or not file or not words.partition(b"\r\n\r\n")[2].strip():
                return Answer(status=422, data={"error": "Validation failed: File content type is invalid"})
            number = str(len(self.pictures) + 1)
            self.pictures[number] = asked
            return self._worked(number, waiting=202)
        number = asked.path.rpartition("/")[2]
        self.picture_looks -= 1
        return self._worked(number, waiting=206) if number in self.pictures else Answer(status=404, data={"error": "no"})

    def _worked(self, number: str, *, waiting: int) -> Answer:
        busy = self.picture_looks > 0
        url = None if busy else f"{self.url}/media/{number}"
        return Answer(status=waiting if busy else 200, data={"id": number, "type": "image", "url": url})

    def _fault(self, asked: Asked, body: Any) -> str:  # noqa: ANN401 - whatever the client sends
        if not asked.headers.get("content-type", "").startswith("application/json") or not isinstance(body, dict):
            return "Validation failed: Text can't be blank"
        text, spoiler = body.get("status"), body.get("spoiler_text", "")
        if not isinstance(text, str) or not text.strip() or set(body) - _TAKEN:
            return "Validation failed: Text can't be blank"
        if body.get("visibility", "public") not in _VISIBILITIES or not _LANGUAGE.fullmatch(body.get("language", "en")):
            return "Validation failed: visibility or language is not included in the list"
        media = body.get("media_ids", [])
        if len(media) > 4 or set(media) - self._attachable() or (media and self.picture_looks > 0):  # noqa: PLR2004 - Mastodon's own bound
            return "Validation failed: Cannot attach files that have not finished processing. Try again in a moment!"
        if self._length(text, spoiler) > self.max_characters:
            return f"Validation failed: Text character limit of {self.max_characters} exceeded"
        return ""

    def _length(self, text: str, spoiler: str) -> int:
        if self.software != "mastodon":
            return len(text) + len(spoiler)
        shortened = _REMOTE.sub(r"\1", _URL.sub("x" * 23, text))
        return len(regex.findall(r"\X", shortened)) + len(regex.findall(r"\X", spoiler))

    def _instance(self) -> Answer:
        statuses = {
            "max_characters": self.max_characters,
            "characters_reserved_per_url": 23 if self.software == "mastodon" else 25,
        }
        version = "4.5.0" if self.software == "mastodon" else "0.20.0+git"
        media = {"image_size_limit": 16_777_216, "description_limit": 1500, "supported_mime_types": ["image/jpeg", "image/png"]}
        limits = {"statuses": statuses, "media_attachments": media}
        return Answer(data={"domain": "social.example", "version": version, "configuration": limits})

    def _nodeinfo(self) -> Answer:
        rel = "http://nodeinfo.diaspora.software/ns/schema/2.0"
        return Answer(data={"links": [{"rel": rel, "href": f"{self.url}/nodeinfo/2.0"}]})

    def _statuses(self, asked: Asked) -> Answer:
        most = min(int(asked.query.get("limit", "20")), 40)
        before = asked.query.get("max_id")
        found = [post.data for post in reversed(self.standing) if before is None or int(post.id) < int(before)]
        return Answer(data=found[:most])


def _linked(text: str) -> str:
    """The status as HTML: links are anchors, everything is escaped."""
    parts, at = [], 0
    for link in _URL.finditer(text):
        href = html.escape(link[0])
        parts += [html.escape(text[at : link.start()]), f'<a href="{href}" rel="nofollow">{href}</a>']
        at = link.end()
    return "".join([*parts, html.escape(text[at:])]).replace("\n", "<br />")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
