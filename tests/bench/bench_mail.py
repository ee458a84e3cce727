"""How fast a personal message is made from a frozen edition, against what others do per reader: one run, taking turns.

The processor's time is measured, so that what else runs on the machine counts less. Only a ratio is asserted; the
figures are printed.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from statistics import median
from time import perf_counter, process_time

import premailer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mails import NONCE, PUBLIC, READER, TEMPLATES, brief, view
from syndicate.render import mime
from syndicate.render.dkim import Signer
from syndicate.render.email import freeze, splice, values
from syndicate.render.frozen import Recipient

ROUNDS = 15
EACH = {"ours": 2000, "signed": 60, "EmailMessage": 6, "premailer": 1}  # messages in one turn
LEAST_TIMES_EMAIL = 500
LEAST_SHARE_OF_BARE = 0.5  # of the rate of RSA-2048 alone, by a signed message
VIEW = view(
    *(brief(number, summary="A summary of the harbour’s books, of the usual length. " * 5) for number in range(1, 21)),
    display="inline",
)
FROZEN = freeze(VIEW, TEMPLATES, nonce=NONCE)
READERS = [
    replace(
        READER,
        address=f"reader{number}@example.org",
        unsubscribe_url=f"{PUBLIC}/u/{number:022d}",
        preferences_url=f"{PUBLIC}/p/{number:022d}",
    )
    for number in range(EACH["ours"])
]
SIGNER = Signer(domain="letter.example", selector="l2026", key=rsa.generate_private_key(public_exponent=65537, key_size=2048))


def envelope(number: int) -> mime.Envelope:
    return mime.Envelope(
        sender="The Ferry Letter <letter@letter.example>",
        list_id="digest.letter.example",
        list_archive=f"{PUBLIC}/editions/",
        feedback_id="digest-daily:digest::letterexample",
        date=datetime(2026, 11, 23, 6, 0, tzinfo=UTC),
        message_id=f"{number:040x}@letter.example",
        boundary=f"=_{number:032x}",
    )


ENVELOPES = [envelope(number) for number in range(EACH["ours"])]


def ours(number: int) -> bytes:
    return mime.message(FROZEN, READERS[number], ENVELOPES[number]).data


def signed(number: int) -> bytes:
    return SIGNER.sign(ours(number))


def by_email_message(number: int) -> bytes:
    """The same parts and headers through the standard library, for each reader."""
    return _email_message(READERS[number], splice(FROZEN.html, values(READERS[number]), html=True), number)


def by_premailer(number: int) -> bytes:
    """Inlining for each reader, as many do."""
    drawn = splice(FROZEN.html, values(READERS[number]), html=True)
    return _email_message(
        READERS[number], premailer.Premailer(drawn, allow_network=False).transform(pretty_print=False), number
    )


def _email_message(reader: Recipient, html: str, number: int) -> bytes:
    made = EmailMessage(policy=SMTP)
    made["From"] = "The Ferry Letter <letter@letter.example>"
    made["To"] = reader.address
    made["Subject"] = FROZEN.subject
    made["Message-ID"] = f"<{number:040x}@letter.example>"
    made["List-Unsubscribe"] = f"<{reader.unsubscribe_url}>"
    made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(splice(FROZEN.text, values(reader), html=False), cte="quoted-printable")
    made.add_alternative(html, subtype="html", cte="quoted-printable")
    return made.as_bytes()


WAYS: dict[str, Callable[[int], bytes]] = {
    "ours": ours,
    "signed": signed,
    "EmailMessage": by_email_message,
    "premailer": by_premailer,
}


def seconds(way: Callable[[int], bytes], times: int) -> float:
    begin = process_time()
    for number in range(times):
        kept = way(number)  # as in a run: one is sent while the next is made
    assert kept
    return (process_time() - begin) / times


def test_a_personal_message_is_a_splice() -> None:
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    for way in WAYS.values():
        way(0)
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            taken[name].append(seconds(way, EACH[name]))
    least = {name: min(times) for name, times in taken.items()}
    print(f"\nan edition of 20 briefs and a quotation: {FROZEN.size:,} bytes of HTML, {len(ours(0)):,} bytes as a message")
    for name, times in taken.items():
        print(
            f"{name:>14}: {median(times) * 1e6:10.1f} us a message (least {least[name] * 1e6:.1f}), {1 / median(times):10,.0f}/s"
        )
    ratios = {name: median(taken[name]) / median(taken["ours"]) for name in ("EmailMessage", "premailer")}
    print(", ".join(f"{ratio:,.0f} times as fast as {name} for each reader" for name, ratio in ratios.items()))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, all of the above in it")
    assert ratios["EmailMessage"] >= LEAST_TIMES_EMAIL
    assert ratios["premailer"] > ratios["EmailMessage"]


def bare(number: int) -> bytes:
    """The signature alone, over as many bytes as a message's headers: nobody who signs can be faster."""
    return SIGNER.key.sign(b"%040d" % number * 20, padding.PKCS1v15(), hashes.SHA256())


def rate(way: Callable[[int], bytes], threads: int, times: int = 150) -> float:
    """How many a second so many threads make, each ``times``."""
    with ThreadPoolExecutor(threads) as pool:
        begin = perf_counter()
        for done in [pool.submit(lambda: [way(number) for number in range(times)]) for _ in range(threads)]:
            done.result()
        return threads * times / (perf_counter() - begin)


def test_signing_is_spread_over_the_connections() -> None:
    """As the sender does it: each connection's thread signs its own messages, and OpenSSL lets go of the interpreter."""
    threads = (1, 2, 4)  # four connections are the default of a channel
    taken: dict[tuple[str, int], list[float]] = {(name, n): [] for name in ("bare", "signed") for n in threads}
    for _ in range(7):
        for (name, n), found in taken.items():
            found.append(rate({"bare": bare, "signed": signed}[name], n))
    rates = {pair: median(found) for pair, found in taken.items()}
    print()
    for n in threads:
        share = rates["signed", n] / rates["bare", n]
        print(
            f"{n} connections: {rates['signed', n]:,.0f} signed messages/s, {share:.0%} of bare RSA-2048 ({rates['bare', n]:,.0f}/s)"
        )
    cores = os.cpu_count() or 1
    print(
        f"{rates['signed', 4] / rates['bare', 1]:.2f} times one core's bare rate, on {cores} cores; most seen {max(taken['signed', 4]):,.0f}/s"
    )
    assert rates["signed", 1] >= LEAST_SHARE_OF_BARE * rates["bare", 1]


def test_an_edition_of_twenty_briefs_is_rendered() -> None:
    times = []
    for _ in range(7):
        begin = process_time()
        freeze(VIEW, TEMPLATES, nonce=NONCE)
        times.append(process_time() - begin)
    print(f"\nan edition of 20 briefs and a quotation, rendered: {median(times) * 1000:.0f} ms (least {min(times) * 1000:.0f})")


if __name__ == "__main__":
    sys.path.insert(0, "tests")
    test_a_personal_message_is_a_splice()
    test_an_edition_of_twenty_briefs_is_rendered()
