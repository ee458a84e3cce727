"""Each reader's message is a splice of their variant's rendering. What all have in common is prepared once for a slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from syndicate import links
from syndicate.errors import Refused, SyndicateError, Unreachable
from syndicate.model import Message
from syndicate.publish.messages import configured, envelope
from syndicate.render import mime
from syndicate.render.frozen import Frozen, Recipient
from syndicate.store import slices
from syndicate.store.duties import Duty
from syndicate.store.slices import Reader, Rendering

if TYPE_CHECKING:
    from syndicate.app import App

Made: TypeAlias = tuple[str, Message] | Exception  # the key and the message, or why there is none


def compose(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], Made]:
    """The key and the message of each duty."""
    return {where: make() for where, make in makers(app, claimed).items()}


def makers(app: App, claimed: Sequence[Duty]) -> dict[tuple[int, int], Callable[[], Made]]:
    """What makes the message of each duty when its turn comes, from what is read now.

    Few finished messages at a time: the allocator gives the pages of many back, and to have them again costs as much
    as all the rest.
    """
    made: dict[tuple[int, int], Callable[[], Made]] = {}
    by_letter: dict[int, list[Duty]] = {}
    for duty in claimed:
        by_letter.setdefault(duty.newsletter or 0, []).append(duty)
    for letter, theirs in by_letter.items():
        variants = {duty.variant for duty in theirs if duty.variant}
        with app.store.read() as connection:
            found = slices.read(connection, [duty.place for duty in theirs], letter, variants)
        splicers = {key: _Splicer(app, rendering, found.instance) for key, rendering in found.renderings.items()}
        for duty in theirs:
            splicer, reader = splicers.get(duty.variant or 0), found.readers.get(duty.place)
            made[duty.sending, duty.place] = partial(_made, splicer, duty, reader)
    return made


def _made(splicer: _Splicer | None, duty: Duty, reader: Reader | None) -> Made:
    try:
        if splicer is None or reader is None:
            msg = "the reader or the edition is not there any more"
            raise Refused(msg)
        return splicer.message(duty, reader)
    except SyndicateError as error:
        return error


class _Splicer:
    """The messages of one variant."""

    def __init__(self, app: App, rendering: Rendering, instance: str) -> None:
        """Prepare what they have in common."""
        self._app = app
        self._rendering = rendering
        self._frozen = Frozen.from_json(rendering.frozen) if rendering.frozen else None
        self._zone = ZoneInfo(app.settings.site.zone)
        self._subject = f"{instance}/{rendering.edition}"
        self._kind = f"{rendering.newsletter}-{rendering.frequency}"
        self._keys = {number: app.token_keys[number] for number in app.token_keys}
        self._leave, self._choose = app.public("u/"), app.public("p/")

    def message(self, duty: Duty, reader: Reader) -> tuple[str, Message]:
        """The key and the message of one reader.

        Raises
        ------
        Unreachable
            Its newsletter is not in the settings any more, or its edition is to be rendered anew.
        Refused
            This reader's values cannot stand in a mail.
        """
        if self._frozen is None:
            msg = "its edition is rendered anew"
            raise Unreachable(msg)
        name, variant = self._rendering.newsletter, str(self._rendering.variant)
        letter = configured(self._app, name)
        key = links.delivery_key("edition", self._subject, duty.channel, reader.id, variant, duty.revision)
        token = links.sign(links.ReaderToken(subscriber=reader.place, newsletter=duty.newsletter or 0), self._keys)
        mark = links.sign_return(links.ReturnToken(sending=duty.sending, place=duty.place), self._keys)
        recipient = Recipient(
            address=reader.address,
            name=reader.name,
            unsubscribe_url=self._leave + token,
            preferences_url=self._choose + token,
            subscribed_on=(reader.since or duty.due).astimezone(self._zone).date(),
        )
        head = envelope(self._app, name, letter, self._kind, date=duty.due, key=key, mark=mark)
        return key, mime.message(self._frozen, recipient, head)
