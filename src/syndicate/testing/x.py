"""A strict X: signed requests, weighted length by a count of its own, no duplicate text, rate headers, a timeline."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote

from syndicate.render import tlds
from syndicate.testing.network import Answer, Asked, Network

KEYS: Final = {
    "consumer_key": "sample-consumer",
    "consumer_secret": "sample-consumer-secret",
    "access_token": "4200-sample-access",
    "access_token_secret": "sample-access-secret",
}
_SIGNED_HOST: Final = "https://api.twitter.com"
_USER: Final = "4200"
_MOST: Final = 280
_PICTURE: Final = 5_000_000  # bytes
_ALT: Final = 1000  # characters
_EDITABLE: Final = timedelta(minutes=30)
_TAKEN: Final = frozenset(
    {"text", "reply", "media", "quote_tweet_id", "reply_settings", "edit_options", "poll", "made_with_ai"}
)
_LINK: Final = re.compile(r"(?:(https?)://)?([\w-]+(?:\.[\w-]+)*\.([A-Za-z]{2,}))(?![\w@])(?:/[^\s\"“”«»]*)?")
_LIGHT: Final = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))


class FakeX(Network):
    """X's API v2, as far as a publisher needs it."""

    def __init__(self, *, premium: bool = False, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """An account; ``premium``: one that may change its posts."""
        super().__init__(now=now)
        self.premium = premium
        self.described: dict[str, str] = {}  # what each upload shows, in words
        self.edits: list[str] = []  # the ids that changed posts got, in order

    def is_post(self, asked: Asked) -> bool:
        """A new post."""
        return (asked.method, asked.path) == ("POST", "/2/tweets")

    def answer(self, asked: Asked) -> Answer:
        """As X does."""
        if not _is_signed(asked):
            return _problem(401, "Unauthorized", "Unauthorized")
        if self.is_post(asked):
            return self._create(asked)
        if asked.path in {"/2/media/upload", "/2/media/metadata"}:
            return self._upload(asked) if asked.path.endswith("upload") else self._describe(asked)
        if (asked.method, asked.path) == ("GET", "/2/users/me"):
            user = {"id": _USER, "name": "A sample account", "username": "sample"}
            return Answer(data={"data": user}, headers={"x-access-level": "read-write"})
        if (asked.method, asked.path) == ("GET", f"/2/users/{_USER}/tweets"):
            return self._timeline(asked)
        if asked.method == "DELETE" and (found := re.fullmatch(r"/2/tweets/(\d+)", asked.path)):
            return self._delete(found[1])
        return _problem(404, "Not Found", "Not Found")

    def _upload(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            self.picture_looks -= 1
            return self._worked(asked.query.get("media_id", ""))
        body = asked.json
        if (
            self.refuses_pictures
            or not isinstance(body, dict)
            or set(body) - {"media", "media_category", "media_type", "shared"}
        ):
            return _problem(400, "Invalid Request", "The picture is not valid.")
        raw = base64.b64decode(body.get("media", ""))
        if body.get("media_category") != "tweet_image" or not raw or len(raw) > _PICTURE:
            return _problem(400, "Invalid Request", "The picture is not valid.")
        number = str(1_800_000_000_000_000_000 + len(self.pictures))
        self.pictures[number] = asked
        return self._worked(number)

    def _worked(self, number: str) -> Answer:
        state = {"processing_info": {"state": "in_progress", "check_after_secs": 0}} if self.picture_looks > 0 else {}
        return Answer(data={"data": {"id": number, "media_key": f"3_{number}", "expires_after_secs": 86400, **state}})

    def _describe(self, asked: Asked) -> Answer:
        body = asked.json
        words = body.get("metadata", {}).get("alt_text", {}).get("text", "") if isinstance(body, dict) else ""
        if body.get("id") not in self.pictures or not 0 < len(words) <= _ALT:
            return _problem(400, "Invalid Request", "The metadata is not valid.")
        self.described[body["id"]] = words
        return Answer(data={"data": {"id": body["id"], "associated_metadata": {"alt_text": {"text": words}}}})

    def throttled(self) -> Answer:
        """No Retry-After: the reset is in Unix seconds."""
        reset = str(int((self.now() + self.reset).timestamp()))
        headers = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": reset}
        return Answer(
            status=429, data={"title": "Too Many Requests", "detail": "Too Many Requests", "status": 429}, headers=headers
        )

    def _create(self, asked: Asked) -> Answer:
        body = asked.json
        if not asked.headers.get("content-type", "").startswith("application/json") or not isinstance(body, dict):
            return _problem(400, "Invalid Request", "One or more parameters to your request was invalid.")
        if set(body) - _TAKEN or not isinstance(body.get("text"), str) or not body["text"].strip():
            return _problem(400, "Invalid Request", "One or more parameters to your request was invalid.")
        media = body.get("media", {}).get("media_ids", [])
        if any(number not in self.pictures or number not in self.described for number in media) or len(media) > 4:  # noqa: PLR2004 - X's own bound
            return _problem(400, "Invalid Request", "Your media IDs are invalid.")
        text = body["text"]
        if weight(text) > _MOST or re.search("[\ufffe\ufeff\uffff]", text):
            return _problem(400, "Invalid Request", "The text is too long or not valid.")
        if len(re.findall(r"(?<!\S)\$[A-Za-z]{1,6}\b", text)) > 1:
            return _problem(400, "Invalid Request", "A post takes a maximum of one cashtag.")
        if any(post.text == text for post in self.posts):
            return _problem(403, "Forbidden", "You are not allowed to create a Tweet with duplicate content.")
        answered = (body.get("reply") or {}).get("in_reply_to_tweet_id")
        if answered is not None and answered not in {post.id for post in self.standing}:
            return _problem(400, "Invalid Request", "The post that this one answers is not there.")
        previous = (body.get("edit_options") or {}).get("previous_post_id")
        if previous is not None and not self._may_edit(previous):
            return _problem(403, "Forbidden", "You are not permitted to edit this post.")
        number = str(1_900_000_000_000_000_000 + len(self.posts))
        shown, urls = _shortened(text)
        data = {"id": number, "text": shown, "entities": {"urls": urls}, "created_at": _stamp(self.now())}
        if previous is not None:  # the newest of the chain stands for all of it
            data["created_at"] = next(post for post in self.posts if post.id == previous).data["created_at"]
            self.deleted.append(previous)
            self.edits.append(number)
        self.witness(id=number, text=text, asked=asked, data=data)
        return Answer(status=201, data={"data": {"id": number, "text": shown, "edit_history_tweet_ids": [number]}})

    def _may_edit(self, previous: str) -> bool:
        """Half an hour, on an account that may."""
        found = next((post for post in self.standing if post.id == previous), None)
        return self.premium and found is not None and self.now() - found.at < _EDITABLE

    def _delete(self, number: str) -> Answer:
        if not self.erase(number):
            return _problem(404, "Not Found", "Could not find tweet with that id.")
        return Answer(data={"data": {"deleted": True}})

    def _timeline(self, asked: Asked) -> Answer:
        most = asked.query.get("max_results", "10")
        if not most.isdigit() or not 5 <= int(most) <= 100:  # noqa: PLR2004 - X's own bounds
            return _problem(400, "Invalid Request", "max_results must be between 5 and 100.")
        start = datetime.fromisoformat(asked.query.get("start_time", "2010-11-06T00:00:00Z"))
        fields = {"id", "text", *asked.query.get("tweet.fields", "").split(",")}
        since, until = int(asked.query.get("since_id", "0")), int(asked.query.get("until_id", "9" * 19))
        found = [post for post in reversed(self.standing) if post.at >= start and since < int(post.id) < until]
        offset = int(asked.query.get("pagination_token", "0"))
        page = found[offset : offset + int(most)]
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(found) > offset + len(page):
            meta["next_token"] = str(offset + len(page))
        posts = [{name: value for name, value in post.data.items() if name in fields} for post in page]
        return Answer(data={"meta": meta, **({"data": posts} if posts else {})})


def weight(text: str) -> int:
    """A count of the fake's own, never below X's: no emoji is joined, and each link counts at least 23."""
    text = unicodedata.normalize("NFC", text)
    total, at = 0, 0
    for link in _LINK.finditer(text):
        if link[3].lower() in tlds.ASCII:
            total += _plain(text[at : link.start()]) + (23 if link[1] else max(23, _plain(link[0])))
            at = link.end()
    return total + _plain(text[at:])


def _plain(text: str) -> int:
    return sum(1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in text)


def _shortened(text: str) -> tuple[str, list[dict[str, str]]]:
    """The text with each link as X's own short one, and what they stand for."""
    urls: list[dict[str, str]] = []

    def short(link: re.Match[str]) -> str:
        if not link[1] or link[3].lower() not in tlds.ASCII:
            return link[0]
        digest = hashlib.sha256(link[0].encode()).hexdigest()[:10]
        urls.append({"url": f"https://t.co/{digest}", "expanded_url": link[0], "display_url": link[2]})
        return urls[-1]["url"]

    return _LINK.sub(short, text), urls


def _is_signed(asked: Asked) -> bool:
    """OAuth 1.0a with HMAC-SHA1 over X's own address (RFC 5849 §3.4)."""
    told = dict(re.findall(r'(\w+)="([^"]*)"', asked.headers.get("authorization", "")))
    signature = unquote(told.pop("oauth_signature", ""))
    if (told.get("oauth_consumer_key"), told.get("oauth_token")) != (KEYS["consumer_key"], KEYS["access_token"]):
        return False
    parameters = {name: unquote(value) for name, value in told.items() if name.startswith("oauth_")} | dict(asked.query)
    pairs = sorted((_escape(name), _escape(value)) for name, value in parameters.items())
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(_escape(part) for part in (asked.method, _SIGNED_HOST + asked.path, joined))
    key = f"{_escape(KEYS['consumer_secret'])}&{_escape(KEYS['access_token_secret'])}"
    wanted = base64.b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
    return hmac.compare_digest(signature, wanted)


def _escape(text: str) -> str:
    return quote(text, safe="~")


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _problem(status: int, title: str, detail: str) -> Answer:
    data: Mapping[str, Any] = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return Answer(status=status, data=data)
