"""Four eyes (Q11): whether two different people have agreed to a quote, and to what exactly they agreed.

A verifier answers for the content, an approver for the content and for every rendering that the publication would
make of it. Consents bind to hashes: what has changed since is held until it is renewed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, Literal

from syndicate.errors import Held, RenderError
from syndicate.model import Item, Limits, Quote
from syndicate.render import framing, post
from syndicate.sources.quotes import beginning
from syndicate.store.audit import audit
from syndicate.store.database import Connection
from syndicate.store.people import Act, Consent, Person

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.channels import Channel

_MOST_KEPT: Final = 4096
_KEPT: Final[dict[tuple[Quote, str], str]] = {}  # (quote, what else a rendering is made from) -> its renderings' hash
_NEEDED: Final[frozenset[Act]] = frozenset({"verifier", "approver"})  # without both nothing leaves


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Every rendering of one quote, as an approver is shown it."""

    texts: Mapping[str, str]  # place ("mail", "x") -> visible text, then links and what else a network is told
    made: Mapping[str, framing.FramedBlock | framing.FramedPost]  # the same as it would leave, where something would
    sha: str  # what an approval binds to
    changes: tuple[str, ...]  # what was taken out of the words, by kind and place (Q9)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where a quote stands between its two people."""

    submitter: str = ""
    verifiers: tuple[str, ...] = ()  # who stand behind the content as it is
    approvers: tuple[str, ...] = ()  # who stand behind the content and the renderings as they are
    rejected: str = ""  # who rejected the content as it is
    voided: tuple[Consent, ...] = ()  # the newest consent of each person and act that a change has voided

    @property
    def approved(self) -> bool:
        """Whether a verifier and an approver, two different people, agree."""
        return any(set(self.verifiers) - {approver} for approver in self.approvers)

    @property
    def waits_for(self) -> str:
        """Who is still wanted; ``""`` where nobody is."""
        wanted = [] if self.verifiers else ["a verifier"]
        wanted += [] if self.approvers else ["an approver"]
        return "" if self.approved else " and ".join(wanted) or "a second person"


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What is the same for every quote of a pool, looked up once."""

    said: Mapping[str, Sequence[Consent]]  # by item; what is not there has no consent
    made_from: str  # what renderings are made from beside the quote


def hear(app: App) -> Heard:
    """Every consent that was given, and the publication as it stands."""
    said = {} if app.settings.quotes.approval == "solo" else app.people.every_consent()
    return Heard(said=said, made_from=made_from(app))


def admit(app: App, quote: Quote, now: datetime, heard: Heard | None = None) -> framing.Admitted:
    """Let a quote in as the gate does, with the people's real answer: the one way in for whatever leaves.

    Raises
    ------
    Held
        As ``framing.admit``.
    """
    return framing.admit(quote, app.style, approved=approved(app, quote, now, heard), now=now)


def approved(app: App, quote: Quote, now: datetime, heard: Heard | None = None) -> bool:
    """Whether two people have agreed to this quote as it is and as it would be shown.

    ``False`` in a publication of one editor, of whom the gate asks nothing.
    """
    if app.settings.quotes.approval == "solo":
        return False
    said = _since_rejection(_said(app, quote, heard))
    verifiers = {one.person for one in said if one.act == "verifier" and one.content_sha == quote.content_sha}
    wanted = {
        one.renderings_sha
        for one in said
        if one.act == "approver" and one.content_sha == quote.content_sha and verifiers - {one.person}
    }
    return bool(wanted) and _sha(app, quote, now, heard) in wanted


def standing(app: App, quote: Quote, now: datetime, heard: Heard | None = None) -> Standing:
    """Who stands behind a quote, and which consents a change has voided."""
    said = _said(app, quote, heard)
    sha = _sha(app, quote, now, heard) if any(one.renderings_sha for one in said) else ""  # nobody agreed to any
    valid = [one for one in _since_rejection(said) if one.content_sha == quote.content_sha]
    last = next((one for one in reversed(said) if one.act != "submitter"), None)
    newest = {(one.person, one.act): one for one in _since_rejection(said) if one.act in _NEEDED}
    return Standing(
        submitter=next((one.name for one in reversed(said) if one.act == "submitter"), ""),
        verifiers=_names(one for one in valid if one.act == "verifier"),
        approvers=_names(one for one in valid if one.act == "approver" and one.renderings_sha == sha),
        rejected=last.name if last and last.act == "rejection" and last.content_sha == quote.content_sha else "",
        voided=tuple(one for one in newest.values() if not _stands(one, quote, sha)),
    )


def told(app: App, item: Item, text: str) -> str:
    """One of our own fields as a listing may show it: a quote's title that repeats its words is withheld (Q5)."""
    if isinstance(item, Quote):
        try:
            framing.guard_outside(text, [item], style=app.style)
        except Held:
            return "[withheld: it repeats the words]"
    return text


def file_of(app: App, quote: Quote) -> str:
    """Where a quote stands, for a fault or a listing: of a name that repeats its words only the beginning is told (Q5)."""
    name = quote.path.rpartition("/")[2]
    return quote.path if told(app, quote, name) == name else beginning(quote.path)


def stamp(app: App, quote: Quote, now: datetime, where: str) -> Callable[[Connection], None]:
    """What writes into the audit log, inside the transaction that shows the quote, on whose word it is shown."""
    detail: dict[str, object] = {"approval": app.settings.quotes.approval, "where": where, "content": quote.content_sha}
    if app.settings.quotes.approval == "four-eyes":
        stands = standing(app, quote, now)
        detail |= {"verifiers": list(stands.verifiers), "approvers": list(stands.approvers)}
    return lambda connection: audit(connection, who="syndicate", act="shown", subject=quote.id, detail=detail, at=now)


def agree(app: App, quote: Quote, act: Act, person: Person, now: datetime, *, reason: str = "") -> Seen:
    """Record what a person says about a quote.

    Raises
    ------
    Held
        The person has not the role (Q11), or is the other of the two people already.
    """
    _require_role(act, person)
    seen = renderings(app, quote, now) if act in _NEEDED else Seen(texts={}, made={}, sha="", changes=())
    said = [one for one in _since_rejection(app.people.consents(quote.id)) if one.content_sha == quote.content_sha]
    if act == "approver" and person.key in {one.person for one in said if one.act in {"submitter", "verifier"}}:
        msg = f"{person.name} has submitted or verified it: somebody else approves"
        raise Held(msg, rule="Q11")
    if act == "verifier" and person.key in {one.person for one in said if one.act == "approver"}:
        msg = f"{person.name} has approved it: somebody else verifies"
        raise Held(msg, rule="Q11")
    if reason:
        framing.guard_outside(reason, [quote], style=app.style)
    app.people.record(
        quote.id,
        act,
        person,
        content_sha=quote.content_sha,
        sha=seen.sha,
        renderings=json.dumps(dict(seen.texts), ensure_ascii=False),
        now=now,
        reason=reason,
    )
    return seen


def decide(app: App, quote: Quote, act: Act, person: Person, now: datetime, *, reason: str = "") -> int:
    """Record what a person says; a rejection also stops what waits. Returns how many deliveries were cancelled.

    Raises
    ------
    Held
        As ``agree``.
    """
    agree(app, quote, act, person, now, reason=reason)
    return app.ledger.cancel(quote.id, now, who=person.name) if act == "rejection" else 0


def difference(old: str, new: str) -> list[tuple[Literal["", "out", "in"], str]]:
    """Stretches of words in the order of ``new``: those of both, those taken out, those added."""
    before, after = old.split(), new.split()
    found: list[tuple[Literal["", "out", "in"], str]] = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("", " ".join(after[k:m])))
            continue
        found += [("out", " ".join(before[i:j]))] if i < j else []
        found += [("in", " ".join(after[k:m]))] if k < m else []
    return found


def renderings(app: App, quote: Quote, now: datetime) -> Seen:
    """Every rendering that the publication would make of a quote, looked at as its readers would.

    Raises
    ------
    Held
        The gate refuses it, so that there is nothing to agree to.
    RenderError
        A template's fault.
    """
    admitted = framing.admit(quote, app.style, approved=False, now=now, rehearsal=True)
    texts: dict[str, str] = {}
    made: dict[str, framing.FramedBlock | framing.FramedPost] = {}
    hashes: list[list[str]] = []
    for form in framing.PARTIALS:
        block = framing.block(admitted, form, app.templates)
        made[form] = block
        texts[form] = _told(block.visible, block.links)
        hashes.append([form, framing.fingerprint([block])])
    for name, channel in _accounts(app).items():
        limits = channel.limits
        try:
            framed = post.framed_post(admitted, channel=name, limits=limits, templates=app.templates, revision=quote.revision)
        except Held as held:
            texts[name] = f"nothing: {held.rule}: {held}"
            hashes.append([name, texts[name]])
        else:
            made[name] = framed
            extra = [text for text in (framed.warning, *framed.labels) if text]
            texts[name] = _told(framed.visible, (*framed.links, *extra, _limit(limits)))
            hashes.append([name, framing.fingerprint([framed]), *extra, _limit(limits)])
    sha = hashlib.sha256(json.dumps(hashes, ensure_ascii=False).encode()).hexdigest()
    changes = (*admitted.defusals, *admitted.original_defusals)
    told = tuple(f"{one.kind} at character {one.position + 1}" for one in changes)
    return Seen(texts=texts, made=made, sha=sha, changes=told)


def _said(app: App, quote: Quote, heard: Heard | None) -> Sequence[Consent]:
    return app.people.consents(quote.id) if heard is None else heard.said.get(quote.id, ())


def _sha(app: App, quote: Quote, now: datetime, heard: Heard | None = None) -> str:
    """The hash of a quote's renderings, or ``""`` where it has none; remembered, for a feed asks for fifty at a time."""
    key = (quote, heard.made_from if heard else made_from(app))
    if key not in _KEPT:
        try:
            sha = renderings(app, quote, now).sha
        except (Held, RenderError):
            sha = ""
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = sha
    return _KEPT[key]


def made_from(app: App) -> str:
    """What a rendering is made from beside the quote: style, templates, channels and their limits."""
    digest = hashlib.sha256(repr(app.style).encode())
    for name in app.templates.names():  # all of them: one may include another
        digest.update(f"{name}\0{app.templates.source(name)}\0".encode())
    for name, channel in _accounts(app).items():
        digest.update(f"{name}\0{channel.limits!r}\0".encode())
    return digest.hexdigest()


def _accounts(app: App) -> dict[str, Channel]:
    return {name: channel for name, channel in app.channels.items() if channel.carries == "post"}


def _limit(limits: Limits) -> str:
    return f"limit: {limits.text} as {limits.counting} counts"


def _told(visible: str, more: Sequence[str]) -> str:
    return "\n".join([visible, *more])


def _since_rejection(said: Sequence[Consent]) -> list[Consent]:
    """What was said after the last rejection: it takes everything back."""
    last = max((place for place, one in enumerate(said) if one.act == "rejection"), default=-1)
    return list(said[last + 1 :])


def _stands(one: Consent, quote: Quote, sha: str) -> bool:
    same = one.content_sha == quote.content_sha
    return same if one.act == "verifier" else same and one.renderings_sha == sha


def _names(said: Iterable[Consent]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in said))


def _require_role(act: Act, person: Person) -> None:
    wanted = {"verifier": {"verifier"}, "approver": {"approver"}, "rejection": {"verifier", "approver"}}.get(act, set())
    if wanted and not wanted & set(person.roles):
        msg = f"{person.name} is no {' or '.join(sorted(wanted))}"
        raise Held(msg, rule="Q11")
