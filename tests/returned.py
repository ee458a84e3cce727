"""A labelled corpus of what comes back: each mail server's form of bounce, complaints, answers, foreign and hostile mail.

Everything is made here, from invented people and the reserved domains.
"""

from __future__ import annotations

import base64
import quopri
from collections.abc import Iterator
from dataclasses import dataclass

from syndicate import links

KEYS = {1: b"k" * 32, 3: b"n" * 32}
STRANGE_KEYS = {1: b"x" * 32}
TOKEN = links.ReturnToken(sending=12, place=34)
MARK = links.sign_return(TOKEN, KEYS)
FORGED = links.sign_return(TOKEN, STRANGE_KEYS)
LEAVE = links.sign(links.ReaderToken(subscriber=34, newsletter=1), KEYS)
HOME = f"bounces+{MARK}@letter.example"
READER = "m.arden@readers.example"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One mail and what it is."""

    name: str
    data: bytes
    kind: str
    ours: bool = True  # whether our signature is in it, so that it would count if it is of a kind that does


def original(mark: str = MARK, *, message_id: bool = True, leave: bool = False, to: str = READER) -> str:
    """The headers of the mail that came back."""
    lines = ["From: The Letter <letter@letter.example>", f"To: {to}", "Subject: What the harbour wrote down"]
    lines += [f"Return-Path: <bounces+{mark}@letter.example>"] if not message_id else []
    lines += [f"Message-ID: <0a1b2c3d4e5f60718293a4b5.{mark}@letter.example>"] if message_id and not leave else []
    lines += [f"List-Unsubscribe: <https://letter.example/u/{LEAVE}>"] if leave else []
    return "\n".join([*lines, "Date: Mon, 23 Nov 2026 06:00:00 +0000", "MIME-Version: 1.0", ""])


def status_part(action: str, status: str, said: str, *, original_to: str = "") -> str:
    """The fields of RFC 3464."""
    lines = ["Reporting-MTA: dns; mx.far.example", "Arrival-Date: Mon, 23 Nov 2026 06:00:02 +0000", ""]
    lines += [f"Original-Recipient: rfc822;{original_to}"] if original_to else []
    lines += [f"Final-Recipient: rfc822; {READER}", f"Action: {action}", f"Status: {status}"]
    lines += [f"Diagnostic-Code: smtp; {said}"] if said else []
    return "\n".join([*lines, ""])


def report(
    text: str,
    status: str,
    returned: str,
    *,
    to: str = HOME,
    sender: str = "MAILER-DAEMON@mx.far.example (Mail Delivery System)",
    subject: str = "Undelivered Mail Returned to Sender",
    more: str = "Auto-Submitted: auto-replied\n",
    kind: str = "multipart/report; report-type=delivery-status",
    text_type: str = "text/plain; charset=us-ascii",
    returned_type: str = "message/rfc822",
    status_type: str = "message/delivery-status",
    encoding: str = "",
    closed: bool = True,
) -> bytes:
    """A multipart report."""
    mark = "=_b1/far.example"
    if encoding == "base64":
        status = base64.encodebytes(status.encode()).decode()
    elif encoding:
        status = quopri.encodestring(status.encode()).decode()
    head = (
        f'From: {sender}\nTo: {to}\nSubject: {subject}\n{more}MIME-Version: 1.0\nContent-Type: {kind};\n\tboundary="{mark}"\n\n'
    )
    way = f"Content-Transfer-Encoding: {encoding}\n" if encoding else ""
    parts = [f"Content-Type: {text_type}\n\n{text}", f"Content-Type: {status_type}\n{way}\n{status}"]
    parts += [f"Content-Type: {returned_type}\n\n{returned}\nThe body of the mail.\n"] if returned else []
    body = "".join(f"--{mark}\n{part}\n" for part in parts)
    return (head + "This is a MIME report.\n\n" + body + (f"--{mark}--\n" if closed else "")).encode()


# (status, what the server said, what that is)
SAYINGS = (
    ("5.1.1", "550 5.1.1 <m.arden@readers.example>: Recipient address rejected: User unknown in virtual mailbox table", "hard"),
    ("5.1.1", "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking", "hard"),
    ("5.1.1", "", "hard"),
    ("5.1.2", "550 5.1.2 bad destination system address", "hard"),
    ("5.1.3", "553 5.1.3 bad address syntax", "hard"),
    ("5.1.6", "550 5.1.6 mailbox has moved", "hard"),
    ("5.1.10", "556 5.1.10 Recipient domain does not accept mail (nullMX)", "hard"),
    ("5.4.4", "Host or domain name not found. Name service error for name=readers.example type=A: Host not found", "hard"),
    ("5.0.0", "550 No such user here", "hard"),
    ("5.0.0", "550 5.1.1 unknown user", "hard"),
    ("5.5.0", "550 Requested action not taken: user not found", "hard"),
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "hard"),
    (
        "5.4.310",
        "550 5.4.310 DNS domain readers.example does not exist [Message=InfoDomainNonexistent] domain does not exist",
        "hard",
    ),
    ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled", "hard"),
    ("5.7.1", "550 5.7.1 No such user!", "hard"),
    ("5.0.0", "554 delivery error: dd This user doesn't have a far.example account (m.arden@readers.example) [0]", "hard"),
    ("5.2.2", "552 5.2.2 The email account that you tried to reach is over quota", "soft"),
    ("4.2.2", "452 4.2.2 Mailbox full", "soft"),
    ("5.1.1", "550 5.1.1 mailbox full, user unknown to have cleaned it", "soft"),
    ("5.2.1", "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery", "soft"),
    ("5.2.3", "552 5.2.3 Message exceeds maximum fixed size", "soft"),
    ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", "soft"),
    ("4.4.1", "connect to mx.far.example[192.0.2.7]:25: Connection timed out", "soft"),
    ("4.4.7", "Message expired: unable to deliver in 120 hours", "soft"),
    ("5.4.6", "554 5.4.6 Too many hops", "soft"),
    ("5.6.0", "554 5.6.0 message content rejected", "soft"),
    ("5.7.1", "554 5.7.1 Message rejected because of spam content", "soft"),
    ("5.7.1", "550 5.7.1 [192.0.2.9] Our system has detected that this message is likely unsolicited mail", "soft"),
    ("5.7.26", "550 5.7.26 Unauthenticated email from letter.example is not accepted due to domain's DMARC policy", "soft"),
    ("5.7.606", "550 5.7.606 Access denied, banned sending IP [192.0.2.9]", "soft"),
    ("5.1.8", "550 5.1.8 <bounces@letter.example>: Sender address rejected: Domain not found", "soft"),
    ("5.1.7", "550 5.1.7 Bad sender's mailbox address syntax", "soft"),
    ("5.0.0", "550 Sender verify failed: unrouteable address", "soft"),
    ("5.7.25", "550 5.7.25 Your server doesn't have a PTR record", "soft"),
    ("5.7.1", "550 5.7.1 Client host rejected: cannot find your hostname, domain not found", "soft"),
    ("5.1.0", "550 5.1.0 rejected by the spam policy of this host", "soft"),
    ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable", "soft"),
    ("5.0.0", "554 Transaction failed", "soft"),
)


def dsns() -> Iterator[Labelled]:
    """RFC 3464, each saying in the dress of several servers."""
    for number, (status, said, kind) in enumerate(SAYINGS):
        fields = status_part("failed", status, said)
        yield Labelled(name=f"postfix {number}", kind=kind, data=report("I'm sorry to have to inform you.", fields, original()))
        yield Labelled(
            name=f"gmail {number}",
            kind=kind,
            data=report(
                "Message not delivered", fields, original(message_id=False), to="bounces@letter.example",
                sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>", subject="Delivery Status Notification (Failure)",
                more=f"Return-Path: <>\nDelivered-To: {HOME}\nX-Failed-Recipients: {READER}\nAuto-Submitted: auto-replied\n",
            ),
        )  # fmt: skip
        yield Labelled(
            name=f"exchange {number}",
            kind=kind,
            data=report(
                "<html><body><p>Delivery has failed to these recipients or groups:</p></body></html>",
                fields.replace("\n\nFinal", "\nFinal"), original(), to="letter@letter.example", text_type="text/html; charset=utf-8",
                sender='"Microsoft Outlook" <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@far.example>',
                subject="Undeliverable: What the harbour wrote down", more="X-MS-Exchange-Message-Is-Ndr:\n",
                returned_type="text/rfc822-headers",
            ).replace(b"\n", b"\r\n"),
        )  # fmt: skip


def shapes() -> Iterator[Labelled]:
    """One hard bounce, carried in every way in which it can still be told; and what is no failure."""
    gone = status_part("failed", "5.1.1", "550 5.1.1 user unknown")
    plain = {"text": "It failed.", "status": gone, "returned": original()}
    elsewhere = {"to": "letter@letter.example"}
    ways: dict[str, dict[str, object]] = {
        "mixed": {"kind": "multipart/mixed"},
        "base64 status": {"encoding": "base64"},
        "quoted status": {"encoding": "quoted-printable"},
        "no end": {"closed": False},
        "upper case": {"to": HOME.upper()},
        "srs": {"to": f"SRS0=ab1c=XY=letter.example=bounces+{MARK}@forward.example"},
        "batv": {"to": f"prvs=0123456789=bounces+{MARK}@letter.example"},
        "minus": {"to": f"bounces-{MARK}@letter.example"},
        "nothing returned": {"returned": ""},
        "x-original-to": {**elsewhere, "more": f"X-Original-To: {HOME}\n", "returned": ""},
        "envelope-to": {**elsewhere, "more": f"Envelope-to: {HOME}\n", "returned": ""},
        "message-id alone": {**elsewhere, "returned_type": "text/rfc822-headers"},
        "return-path alone": {**elsewhere, "returned": original(message_id=False)},
        "only the link to leave": {**elsewhere, "returned": original(leave=True)},
        "postfix sender": {
            **elsewhere,
            "returned": "",
            "status": gone.replace("\n\n", f"\nX-Postfix-Sender: rfc822; {HOME}\n\n", 1),
        },
        "global": {"status_type": "message/global-delivery-status"},
        "folded fields": {"status": gone.replace("550 5.1.1", "550\n 5.1.1")},
        "comment in status": {"status": gone.replace("Status: 5.1.1", "Status: 5.1.1 (bad destination mailbox address)")},
        "status in words alone": {"status": gone.replace("Status: 5.1.1", "Status: 5.0.0")},
        "to a person's form": {"sender": "postmaster@far.example", "subject": "failure notice"},
    }
    for name, way in ways.items():
        yield Labelled(name=f"shape: {name}", kind="hard", data=report(**{**plain, **way}))  # type: ignore[arg-type]
    whole = report(**plain)  # type: ignore[arg-type]
    yield Labelled(name="shape: mbox line", kind="hard", data=b"From MAILER-DAEMON Mon Nov 23 06:00:09 2026\n" + whole)
    yield Labelled(name="shape: crlf", kind="hard", data=whole.replace(b"\n", b"\r\n"))
    inside = whole.replace(b"\nTo: ", b"\nX-Was-To: ", 1)
    wrapped = (
        f"From: gateway@far.example\nTo: {HOME}\nContent-Type: multipart/mixed; boundary=outer\n\n--outer\n".encode()
        + inside[inside.index(b"Content-Type:") :]
        + b"\n--outer\nContent-Type: text/plain\n\nThis mail was scanned.\n--outer--\n"
    )
    yield Labelled(name="shape: wrapped by a gateway", kind="hard", data=wrapped)
    for action, kind in (
        ("delayed", "delayed"),
        ("delivered", "delivered"),
        ("relayed", "delivered"),
        ("expanded", "delivered"),
    ):
        fields = status_part(action, "4.4.1" if action == "delayed" else "2.0.0", "")
        yield Labelled(name=f"action {action}", kind=kind, data=report("A word on your mail.", fields, original()))
    both = gone + "\nFinal-Recipient: rfc822; other@readers.example\nAction: delivered\nStatus: 2.0.0\n"
    yield Labelled(name="one of two arrived", kind="delivered", data=report("Some.", both, original()))
    yield Labelled(
        name="no recipient's field", kind="foreign", data=report("It failed.", "Reporting-MTA: dns; a.example\n", original())
    )
    yield Labelled(
        name="no action at all",
        kind="delayed",
        data=report("?", gone.replace("Action: failed\nStatus: 5", "Status: 4"), original()),
    )


QMAIL = """Hi. This is the qmail-send program at far.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{reader}>:
{said}

--- Below this line is a copy of the message.

{original}
"""
EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {reader}
    host mx.far.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{reader}>:
    {said}

------ This is a copy of the message, including all the headers. ------

{original}
"""
YAHOO = """Sorry, we were unable to deliver your message to the following address.

<{reader}>:
{said}

--- Below this line is a copy of the message.

{original}
"""
SENDMAIL = """The original message was received at Mon, 23 Nov 2026 06:00:00 GMT

   ----- The following addresses had permanent fatal errors -----
<{reader}>
    (reason: {said})

   ----- Original message follows -----

{original}
"""
EXCHANGE = """Your message did not reach some or all of the intended recipients.

      Subject: What the harbour wrote down
The following recipient(s) cannot be reached:
      {reader} on 23/11/2026 06:00
            {said}

Original message headers:

{original}
"""
GMAIL = """Delivery to the following recipient failed permanently:

     {reader}

Technical details of permanent failure:
{said}

----- Original message -----

{original}
"""
WORDS = (
    ("qmail", QMAIL, "MAILER-DAEMON@far.example", "failure notice", ""),
    ("exim", EXIM, "Mail Delivery System <Mailer-Daemon@far.example>", "Mail delivery failed: returning message to sender",
     f"X-Failed-Recipients: {READER}\nAuto-Submitted: auto-replied\n"),
    ("yahoo", YAHOO, "MAILER-DAEMON@yahoo.example", "Failure Notice", ""),
    ("sendmail", SENDMAIL, "Mail Delivery Subsystem <MAILER-DAEMON@far.example>", "Returned mail: see transcript for details", ""),
    ("exchange", EXCHANGE, "System Administrator <postmaster@far.example>", "Undeliverable: What the harbour wrote down", ""),
    ("gmail", GMAIL, "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)", ""),
)  # fmt: skip
SPOKEN = (
    ("Sorry, no mailbox here by that name. (#5.1.1)", "hard"),
    ("550 unknown user", "hard"),
    ("554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30).", "hard"),
    ("#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##", "hard"),
    ("Sorry, I couldn't find any host named readers.example. (#5.1.2)", "hard"),
    ("552 5.2.2 mailbox is full", "soft"),
    ("554 5.7.1 blocked, see our policy", "soft"),
    ("Connected to 192.0.2.7 but greeting failed. I'm not going to try again; this message has been in the queue too long. (#4.4.1)", "soft"),
    ("550 high probability of spam", "soft"),
)  # fmt: skip


def spoken() -> Iterator[Labelled]:
    """Bounces that are words alone."""
    for form, text, sender, subject, more in WORDS:
        for number, (said, kind) in enumerate(SPOKEN):
            verp = number % 2 == 0
            head = f"From: {sender}\nTo: {HOME if verp else 'letter@letter.example'}\nSubject: {subject}\n{more}\n"
            body = text.format(reader=READER, said=said, original=original(message_id=number % 3 != 1))
            yield Labelled(name=f"{form} {number}", kind=kind, data=(head + body).encode())
    brief = "A letter on servers that say: user unknown. The mailbox does not exist.\n"
    refused = "Message could not be delivered to the reader: 554 transaction failed.\n\n"
    for number, copy in enumerate(
        (f"{original()}\n{brief}", f"Received: from us\n{original()}\n{brief}", "Our words. " * 400 + brief)
    ):
        head = f"From: postmaster@far.example\nTo: {HOME}\nSubject: failure notice\n\n"
        below = copy.replace("From: The", "Return-Path: <>\nFrom: The") if number == 0 else copy
        yield Labelled(name=f"our own words below {number}", kind="soft", data=f"{head}{refused}{below}".encode())
    late = f"From: Mailer-Daemon@far.example\nTo: {HOME}\nSubject: Warning: message delayed 24 hours\nX-Failed-Recipients: {READER}\n\n"
    words = "A message that you sent has not yet been delivered to one or more of its recipients.\nNo action is required on your part.\n"
    yield Labelled(name="exim warns", kind="delayed", data=(late + words).encode())


def complaints() -> Iterator[Labelled]:
    """Feedback reports."""
    for number, (said, kind) in enumerate(
        (
            ("abuse", "complaint"),
            ("fraud", "complaint"),
            ("opt-out", "complaint"),
            ("ABUSE (spam)", "complaint"),
            ("not-spam", "foreign"),
            ("auth-failure", "foreign"),
            ("virus", "foreign"),
            ("other", "foreign"),
            ("dmarc", "foreign"),
        )
    ):
        fields = f"Feedback-Type: {said}\nUser-Agent: Far/1.0\nVersion: 1\nOriginal-Rcpt-To: <redacted@far.example>\n"
        for place, (returned, more) in enumerate(
            ((original(), ""), (original(leave=True), ""), (original("a" * 32), f"Original-Mail-From: <{HOME}>\n"))
        ):
            yield Labelled(
                name=f"arf {number}.{place}",
                kind=kind,
                data=report(
                    "This is a complaint.", fields + more, returned, to="abuse@letter.example", sender="fbl@far.example",
                    subject="FW: What the harbour wrote down", kind="multipart/report; report-type=feedback-report",
                    status_type="message/feedback-report", more="",
                ),
            )  # fmt: skip
    inner = f"X-HmXmrOriginalRecipient: {READER}\n" + original()
    jmrp = (
        "From: staff@hotmail.com\nTo: abuse@letter.example\nSubject: complaint about message from 192.0.2.9\n"
        f"Content-Type: multipart/mixed; boundary=j\n\n--j\nContent-Type: message/rfc822\n\n{inner}\nBody\n--j--\n"
    )
    yield Labelled(name="jmrp", kind="complaint", data=jmrp.encode())


AWAY = (
    ("Automatic reply: What the harbour wrote down", "Auto-Submitted: auto-replied\n", "I am out of the office until Monday."),
    (
        "Out of Office",
        "X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n",
        "This mailbox does not exist any more. User unknown.",
    ),
    ("Abwesenheitsnotiz", "", "Ich bin nicht im Büro. Das Postfach ist voll."),
    ("Réponse automatique : lettre", "", "Je suis absente. 550 5.1.1 user unknown"),
    (
        "Re: What the harbour wrote down",
        "Precedence: auto_reply\n",
        "I have left the institute; this account has been disabled.",
    ),
    ("Re: letter", "X-Autoreply: yes\n", "No such user here any longer: write to my colleague."),
    ("[Ticket 81] received", "Auto-Submitted: auto-generated\n", "Your message could not be delivered to an agent yet."),
    ("Autoreply", "Return-Path: <>\nAuto-Submitted: auto-replied (vacation)\n", "mailbox full of holiday mail"),
)
PEOPLE = (
    ("Re: What the harbour wrote down", "Thank you! By the way, my old address bounces: 550 5.1.1 user unknown."),
    ("Fwd: Undelivered Mail Returned to Sender", "Look at this.\n\n> Final-Recipient: rfc822; m.arden@readers.example\n> Action: failed\n> Status: 5.1.1\n"),
    ("unsubscribe", "Please take me off. This is spam."),
    ("Undelivered Mail Returned to Sender", "Delivery has failed to these recipients: m.arden@readers.example. Click here to release your mail."),
)  # fmt: skip


def answers() -> Iterator[Labelled]:
    """What machines and people answer to the return path: it never counts."""
    for number, (subject, more, words) in enumerate(AWAY):
        for sender in (READER, f'"Mara Arden" <{READER}>', "postmaster-team@readers.example"):
            head = f"From: {sender}\nTo: {HOME}\nSubject: {subject}\n{more}In-Reply-To: <0a1b.{MARK}@letter.example>\n\n"
            yield Labelled(name=f"away {number} {sender[:4]}", kind="answer", data=f"{head}{words}\n".encode())
    for number, (subject, words) in enumerate(PEOPLE):
        head = f"From: Mara <{READER}>\nTo: {HOME}\nSubject: {subject}\nReferences: <0a1b.{MARK}@letter.example>\n\n"
        yield Labelled(name=f"person {number}", kind="foreign", data=f"{head}{words}\n\n> {original()}".encode())
    receipt = f"Final-Recipient: rfc822; {READER}\nDisposition: automatic-action/MDN-sent-automatically; deleted\n"
    yield Labelled(
        name="receipt",
        kind="answer",
        data=report(
            "Your mail was deleted unread.", receipt, original(), sender=READER, subject="Not read: letter", more="",
            kind="multipart/report; report-type=disposition-notification", status_type="message/disposition-notification",
        ),
    )  # fmt: skip


def carried() -> Iterator[Labelled]:
    """Bounces and complaints that somebody forwards: they are inside a mail, and are not this mail."""
    gone = report("It failed.", status_part("failed", "5.1.1", "550 5.1.1 user unknown"), original())
    spam = report(
        "A complaint.", "Feedback-Type: abuse\nVersion: 1\n", original(), status_type="message/feedback-report",
        kind="multipart/report; report-type=feedback-report",
    )  # fmt: skip
    for name, inner in (("bounce", gone), ("complaint", spam)):
        for address in (HOME, "letter@letter.example"):
            head = f"From: Mara <{READER}>\nTo: {address}\nSubject: Fwd: {name}\nContent-Type: multipart/mixed; boundary=f\n\n"
            body = (
                b"--f\nContent-Type: text/plain\n\nLook at this.\n--f\nContent-Type: message/rfc822\n\n" + inner + b"\n--f--\n"
            )
            yield Labelled(name=f"forwarded {name} {address[:7]}", kind="foreign", data=head.encode() + body)
        text = gone.decode().replace("\n", "\n> ")
        yield Labelled(
            name=f"quoted {name}", kind="foreign", data=f"From: {READER}\nTo: {HOME}\nSubject: Re\n\n> {text}".encode()
        )


def strange() -> Iterator[Labelled]:
    """Forged, foreign and other people's bounces."""
    gone = status_part("failed", "5.1.1", "550 5.1.1 user unknown")
    letters = MARK.replace(MARK[10], "b" if MARK[10] != "b" else "c", 1)
    for name, mark in (("other key", FORGED), ("altered", letters), ("short", MARK[:-1]), ("none", "a" * 32), ("empty", "")):
        address = f"bounces+{mark}@letter.example"
        yield Labelled(
            name=f"forged {name}", kind="foreign", ours=False, data=report("It failed.", gone, original(mark), to=address)
        )
        fields = f"Feedback-Type: abuse\nVersion: 1\nOriginal-Mail-From: <{address}>\nOriginal-Rcpt-To: <{READER}>\n"
        yield Labelled(
            name=f"forged complaint {name}", kind="foreign", ours=False,
            data=report("", fields, original(mark), to="abuse@letter.example", status_type="message/feedback-report"),
        )  # fmt: skip
        head = f"From: MAILER-DAEMON@far.example\nTo: {address}\nSubject: failure notice\n\n"
        words = QMAIL.format(reader=READER, said="no mailbox here by that name (#5.1.1)", original=original(mark))
        yield Labelled(name=f"forged qmail {name}", kind="foreign", ours=False, data=(head + words).encode())
    yield Labelled(
        name="newsletter",
        kind="foreign",
        ours=False,
        data=b"From: a@b.example\nTo: letter@letter.example\nSubject: News\n\nHello\n",
    )


def hostile() -> Iterator[Labelled]:
    """Broken, huge and unkind mail, and genuine bounces among it."""
    gone = status_part("failed", "5.1.1", "550 5.1.1 user unknown")
    big = "All of the mail that came back.\n" * 330_000
    yield Labelled(name="10 MB before the status", kind="hard", data=report(big, gone, original()))
    yield Labelled(name="10 MB returned", kind="hard", data=report("It failed.", gone, original() + big))
    yield Labelled(name="10 MB of words", kind="foreign", ours=False, data=b"From: a@b.example\n\n" + big.encode())
    yield Labelled(name="nothing", kind="foreign", ours=False, data=b"")
    yield Labelled(name="zeros", kind="foreign", ours=False, data=b"\0" * 100_000)
    yield Labelled(name="blank lines", kind="foreign", ours=False, data=b"\n" * 1_000_000)
    yield Labelled(name="one header of 5 MB", kind="foreign", ours=False, data=b"Subject: " + b"a" * 5_000_000)
    many = b"".join(b"X-%d: bounces+%s@letter.example\n" % (n, FORGED.encode()) for n in range(50_000))
    yield Labelled(name="fifty thousand headers", kind="foreign", ours=False, data=many + b"\nHello\n")
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5_000))
    yield Labelled(name="five thousand deep", kind="foreign", ours=False, data=f"From: a@b.example\n{deep}".encode())
    edges = b"Content-Type: multipart/report; boundary=a\n\n" + b"--a\n" * 1_000_000
    yield Labelled(name="a million boundaries", kind="foreign", ours=False, data=edges)
    semicolons = b'Content-Type: multipart/report; boundary="' + b'\\"' * 100_000 + b"; " * 100_000 + b"\n\nHello\n"
    yield Labelled(name="a parameter without an end", kind="foreign", ours=False, data=semicolons)
    tags = b"From: postmaster@a.example\nContent-Type: text/html\n\n" + b"<" * 1_000_000
    yield Labelled(name="a million tags", kind="foreign", ours=False, data=tags)
    marks = (
        b"From: MAILER-DAEMON@a.example\nTo: "
        + b"+".join([b"a" * 32 + b"@"] * 20_000)
        + b"\n\nthis is the qmail-send program\n"
    )
    yield Labelled(name="many false marks", kind="foreign", ours=False, data=marks)
    latin = report(
        "Zustellung fehlgeschlagen: Empf\udce4nger".encode("utf-8", "surrogateescape").decode("latin-1"), gone, original()
    )
    yield Labelled(name="8 bit", kind="hard", data=latin)
    yield Labelled(name="nul in the fields", kind="hard", data=report("It failed.", gone.replace("dns;", "dns;\0"), original()))
    yield Labelled(name="escapes", kind="hard", data=report("\x1b[2J", gone.replace("mx.far", "\x1b[31mmx"), original()))
    yield Labelled(name="status is words", kind="foreign", data=report("It failed.", "\0" * 5000, original()))
    yield Labelled(
        name="bad base64", kind="foreign", data=report("It failed.", gone, original(), encoding="base64").replace(b"Um", b"!")
    )


def corpus() -> list[Labelled]:
    """All of it."""
    makers = (dsns, shapes, spoken, complaints, answers, carried, strange, hostile)
    return [one for maker in makers for one in maker()]
