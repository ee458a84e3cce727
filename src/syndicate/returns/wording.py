"""Bounces that are no RFC 3464 report: qmail, Exim, Yahoo, old Exchange and their kin, known by their words. Pure.

What mail servers say is matched in lower case and as plain phrases, so that no text can make it slow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from syndicate.returns.parts import Part

# The address is not there, for good.
NO_DOMAIN: Final = (
    "host not found",
    "host or domain name not found",
    "domain not found",
    "domain does not exist",
    "domain doesn't exist",
    "no such domain",
    "domain name not found",
    "couldn't find any host named",
    "unrouteable mail domain",
    "does not accept mail (nullmx)",
    "nullmx",
)
CLOSED: Final = (
    "mailbox is disabled",
    "mailbox disabled",
    "mailbox has been disabled",
    "account is disabled",
    "account has been disabled",
    "account disabled",
    "account is inactive",
    "inactive user",
    "mailbox is inactive",
    "account has been suspended",
    "account has been deactivated",
    "account that you tried to reach is disabled",
    "account that you tried to reach is inactive",
    "account has been closed",
    "user is disabled",
)
GONE: Final = (
    *NO_DOMAIN,
    *CLOSED,
    "user unknown",
    "unknown user",
    "unknown recipient",
    "recipient unknown",
    "unknown address",
    "address unknown",
    "unknown mailbox",
    "unknown local part",
    "no such user",
    "no such mailbox",
    "no such recipient",
    "no such address",
    "no such account",
    "no such person",
    "no mailbox here by that name",
    "no mailbox by that name",
    "user not found",
    "recipient not found",
    "recipnotfound",
    "address not found",
    "mailbox not found",
    "account not found",
    "user does not exist",
    "user doesn't exist",
    "mailbox does not exist",
    "mailbox doesn't exist",
    "recipient does not exist",
    "account does not exist",
    "account that you tried to reach does not exist",
    "address does not exist",
    "address you entered couldn't be found",
    "couldn't be found or is invalid",
    "wasn't found at",
    "user doesn't have a",  # "This user doesn't have a … account"
    "unrouteable address",
    "invalid mailbox",
    "invalid recipient",
    "not a valid mailbox",
    "not a valid recipient",
    "user is unknown",
    "no account by that name",
    "recipient address rejected: access denied",  # how Exchange Online refuses whoever is not in its directory (5.4.1)
    "adr not found",
)
FULL: Final = (
    "mailbox full",
    "mailbox is full",
    "inbox is full",
    "over quota",
    "overquota",
    "quota exceeded",
    "exceeded storage",
    "storage quota",
    "insufficient storage",
    "insufficient system storage",
    "out of storage",
    "mailbox size limit",
    "mailbox has exceeded",
    "exceeded the storage",
    "not enough space",
)
BLOCKED: Final = (
    "spam",
    "blocked",
    "block list",
    "blocklist",
    "blacklist",
    "denylist",
    "dnsbl",
    "reputation",
    "policy",
    "too many",
    "rate limit",
    "rate that prevents",
    "relaying denied",
    "relay access denied",
    "unable to relay",
    "not authorized",
    "authentication required",
    "unauthenticated",
    "dmarc",
    "spf ",
    "greylist",
    "try again later",
    "temporarily",
    "low reputation",
    "banned",
    "content rejected",
    "virus",
)
# About our own server or sender, whatever else the sentence says of addresses and domains.
OURS: Final = (
    "sender verify",
    "sender address",
    "sender rejected",
    "sender domain",
    "your hostname",
    "your host",
    "your ip",
    "your domain",
    "client host",
    "reverse dns",
    "rdns",
    "ptr record",
    "helo",
    "ehlo",
)
_DAEMONS: Final = frozenset(
    {"mailer-daemon", "postmaster", "mail-daemon", "mdaemon", "mailerdaemon", "mail delivery subsystem"}
)
# What a bounce begins with; none of it is said in an out-of-office note.
_FAILED: Final = (
    "this is the qmail-send program",
    "wasn't able to deliver your message",
    "could not be delivered to one or more of its recipients",
    "could not be delivered to the following",
    "couldn't be delivered",
    "unable to deliver your message to the following",
    "was not able to deliver the following message",
    "delivery to the following recipient failed permanently",
    "delivery to the following recipients failed",
    "the following addresses had permanent fatal errors",
    "the following recipient(s) cannot be reached",
    "the following recipient(s) could not be reached",
    "your message did not reach some or all of the intended recipients",
    "delivery has failed to these recipients",
    "undeliverable message",
    "i'm sorry to have to inform you that your message could not be delivered",
    "message could not be delivered",
    "message was undeliverable",
    "failed to deliver to",
    "delivery failed",
    "message delivery failed",
    "is not deliverable",
)
_STILL: Final = (
    "has not yet been delivered",
    "no action is required on your part",
    "will be retried",
    "will continue to be",
    "this is a warning message only",
    "you do not need to resend your message",
    "delivery status notification (delay)",
    "message still undelivered",
    "message delayed",
)
# Below these stands the mail that came back.
_COPY_BELOW: Final = (
    "below this line is a copy of the message",
    "this is a copy of the message, including all the headers",
    "this is a copy of your message",
    "----- original message -----",
    "----- original message follows",
    "original message headers:",
    "original message header:",
    "message header follows",
    "message headers follow",
    "the header of the original message is following",
    "----- unsent message follows",
    "returned message follows",
    "original message follows",
    "\nreturn-path: <",
    "\nreceived: from ",
    "\nmessage-id: <",
)
_MOST_SAID: Final = 4_000  # characters: a mail system is brief, and below it may stand what we wrote ourselves


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """What the words of a bounce say."""

    form: str  # qmail | exim | other
    still: bool  # the far side goes on trying
    said: str  # its diagnostic words
    copy: bytes  # the headers of the mail that came back, where it is quoted in the text; b"" else


def any_of(text: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases stands in ``text``, which is in lower case."""
    return any(phrase in text for phrase in phrases)


def is_daemon(mail: Part) -> bool:
    """Whether a mail says that it comes from a mail system, and not from a person."""
    sender = mail.header("from").lower()
    local = sender.rpartition("<")[2].partition("@")[0].strip(' "')
    return local in _DAEMONS or sender.partition("<")[0].strip(' "') in _DAEMONS


def read(mail: Part) -> Wording | None:
    """What a bounce without a report says, or ``None`` where the mail is none."""
    failed = mail.header("x-failed-recipients")
    if not (failed or is_daemon(mail)):
        return None
    words = next((part.text() for part in mail.walk() if part.type in {"text/plain", "text/html"}), "")
    above, copy = _parted(words)
    told = " ".join(above[:_MOST_SAID].lower().replace("’", "'").split())
    subject = mail.header("subject").lower()
    still = any_of(told, _STILL) or any_of(subject, _STILL)
    if not still and not any_of(told, _FAILED):
        return None
    form = "qmail" if "qmail-send" in told else "exim" if failed or "mail delivery software" in told else "other"
    return Wording(form=form, still=still, said=told, copy=copy)


def _parted(words: str) -> tuple[str, bytes]:
    """What a mail system says, and the headers of the mail that it quotes below."""
    low = words.lower()
    if len(low) != len(words):
        low = words  # a few letters change their length in lower case
    found = min((at for at in (low.find(phrase) for phrase in _COPY_BELOW) if at >= 0), default=-1)
    if found < 0:
        return words, b""
    below = words[found:].partition("\n")[2].lstrip("\n")
    return words[:found], below.encode()
