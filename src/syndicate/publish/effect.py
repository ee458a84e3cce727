"""What a parcel, a deletion or an amendment does to its channel, and how a lost answer is asked after. Records nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from syndicate.channels import Amends, Channel, Deletes
from syndicate.model import Amendment, Parcel, Receipt, Removal

Doing: TypeAlias = Parcel | Removal | Amendment


def act(channel: Channel, doing: Doing, key: str) -> Receipt:
    """Send a parcel, delete a post, or put one right.

    Raises
    ------
    Refused, Throttled, Unreachable, Uncertain
        By what the caller must do (errors.py).
    """
    if isinstance(doing, Removal):
        assert isinstance(channel, Deletes)  # else there is no such duty
        return channel.delete(doing.remote_id)
    if isinstance(doing, Amendment):
        if doing.way == "post":
            return channel.send(doing.post, key)
        assert isinstance(channel, Amends)  # else it would be a post of its own
        return channel.amend(doing, key)
    return channel.send(doing, key)


def ask(channel: Channel, doing: Parcel | Amendment, key: str, since: datetime) -> Receipt | None:
    """Whether what was begun at ``since`` has left; ``None`` where it provably has not.

    Raises
    ------
    Uncertain, Throttled, Unreachable
        As ``Channel.reconcile``.
    """
    if not isinstance(doing, Amendment):
        return channel.reconcile(doing, key, since)
    if doing.way == "post":
        return channel.reconcile(doing.post, key, since)
    assert isinstance(channel, Amends)
    return channel.find_amendment(doing, key, since)
