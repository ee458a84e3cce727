"""A post as Bluesky's record, and what is wrong with one: no network, no clock."""

from __future__ import annotations

import base64
from datetime import UTC
from typing import Any, Final

from syndicate.model import Limits, Picture, Post
from syndicate.render import counting

COLLECTION: Final = "app.bsky.feed.post"
_LANGUAGES: Final = 3


def record(post: Post) -> dict[str, Any]:
    """The post as ``app.bsky.feed.post``; what it does not have is left out."""
    made: dict[str, Any] = {
        "$type": COLLECTION,
        "text": post.text,
        "createdAt": post.created.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "langs": [post.lang][:_LANGUAGES],
    }
    if post.facets:
        made["facets"] = [
            {
                "index": {"byteStart": facet.start, "byteEnd": facet.end},
                "features": [_feature(facet.uri)],
            }
            for facet in post.facets
        ]
    if post.card:
        external: dict[str, Any] = {"uri": post.card.uri, "title": post.card.title, "description": post.card.description}
        if post.card.thumb:
            external["thumb"] = blob(post.card.thumb)
        made["embed"] = {"$type": "app.bsky.embed.external", "external": external}
    if post.answers:
        made["reply"] = {name: {"uri": uri, "cid": ""} for name, uri in zip(("root", "parent"), post.answers, strict=True)}
    if post.labels:
        values = [{"val": label} for label in post.labels]
        made["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    return made


def blob(picture: Picture) -> dict[str, Any]:
    """How a record names a picture: by a CID of its bytes (version 1, raw, SHA-256), which is known before it is uploaded."""
    raw = b"\x01\x55\x12\x20" + bytes.fromhex(picture.sha)
    cid = "b" + base64.b32encode(raw).decode().lower().rstrip("=")
    return {"$type": "blob", "ref": {"$link": cid}, "mimeType": picture.type, "size": picture.size}


def _feature(target: str) -> dict[str, str]:
    if target.startswith("#"):
        return {"$type": "app.bsky.richtext.facet#tag", "tag": target.removeprefix("#")}
    return {"$type": "app.bsky.richtext.facet#link", "uri": target}


def fault(post: Post, limits: Limits) -> str:
    """Why the post cannot be said: the server itself takes any facet."""
    if not counting.fits(post.text, limits):
        return f"The post has {counting.count(post.text, limits)} graphemes; Bluesky takes {limits.text} and 3,000 bytes."
    found = counting.facet_fault(post.text, post.facets)
    return f"The post cannot be sent: {found}." if found else ""
