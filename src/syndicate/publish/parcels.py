"""A post as it is kept from before its first attempt, so that a retry sends the same. Text in, text out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from syndicate.model import Amendment, Card, Facet, Picture, Post


def dump(post: Post) -> str:
    """One JSON document."""
    return json.dumps(_values(post), ensure_ascii=False)


def load(text: str) -> Post:
    """Back from ``dump``."""
    return _post(json.loads(text))


def dump_amendment(amendment: Amendment) -> str:
    """One JSON document."""
    note = _values(amendment.note) if amendment.note else None
    values = {"item": amendment.item, "remote_id": amendment.remote_id, "way": amendment.way}
    return json.dumps({**values, "post": _values(amendment.post), "note": note}, ensure_ascii=False)


def load_amendment(text: str) -> Amendment:
    """Back from ``dump_amendment``."""
    values = json.loads(text)
    values["post"] = _post(values["post"])
    values["note"] = _post(values["note"]) if values["note"] else None
    return Amendment(**values)


def _values(post: Post) -> dict[str, Any]:
    return asdict(post) | {"created": post.created.isoformat()}


def _picture(told: Mapping[str, Any] | None) -> Picture | None:
    return Picture(**told) if told else None


def _post(told: Mapping[str, Any]) -> Post:
    values = dict(told)
    values["created"] = datetime.fromisoformat(values["created"])
    values["facets"] = tuple(Facet(**facet) for facet in values["facets"])
    values["labels"] = tuple(values["labels"])
    values["answers"] = tuple(values.get("answers", ()))
    values["picture"] = _picture(values.get("picture"))
    card = values["card"]
    values["card"] = Card(**{**card, "thumb": _picture(card.get("thumb"))}) if card else None
    return Post(**values)
