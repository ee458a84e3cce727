"""``subscribers export``, ``show`` and ``erase``: what is kept of readers, given back or taken out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from syndicate.cli import FAILED, OK

if TYPE_CHECKING:
    import argparse

    from syndicate.app import App

_SUBSCRIPTIONS: Final = {
    "newsletter": "Newsletter", "state": "State", "since": "Since", "frequency": "Frequency", "hour": "Hour", "zone": "Zone",
    "quote": "Quote",
}  # fmt: skip
_SENT: Final = {"due": "Due", "what": "What", "newsletter": "Newsletter", "number": "No.", "state": "State", "done": "Done"}
_RETURNED: Final = {"at": "At", "edition": "Edition", "kind": "What came back", "status": "Code", "reason": "Why"}


def export(args: argparse.Namespace) -> int:
    """Print every subscription, as ``import`` reads it."""
    from syndicate.cli.publication import looked_at, only
    from syndicate.store import leaving

    with looked_at(args) as app:
        name = only(args.newsletter, app.settings.newsletters, "newsletter") if args.newsletter else ""
        with app.store.read() as connection:
            rows = leaving.exported(connection, name)
            (_as_json if args.format == "json" else _as_csv)(rows)
    return OK


def _as_csv(rows: Any) -> None:  # noqa: ANN401 - an iterator of JSON documents
    import csv
    import json

    from syndicate.sources.roster import PLAIN, harmless

    # All cells in quotation marks: a spreadsheet that parts them at semicolons begins no cell in the middle of one.
    writer = csv.DictWriter(sys.stdout, PLAIN, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        told = {"topics": ",".join(row["topics"]), "consent": json.dumps(row["consent"], ensure_ascii=False)}
        writer.writerow({column: harmless(cell) if isinstance(cell, str) else cell for column, cell in {**row, **told}.items()})


def _as_json(rows: Any) -> None:  # noqa: ANN401 - as above
    import json

    print("[", end="")
    for number, row in enumerate(rows):
        print("," if number else "", json.dumps(row, ensure_ascii=False), sep="\n" if number else "", end="")
    print("]")


def show(args: argparse.Namespace) -> int:
    """Everything that is kept of one reader."""
    from syndicate.cli.output import document, heading, listing, say
    from syndicate.cli.publication import looked_at

    with looked_at(args) as app:
        person = _record(app, args.address)
    if args.json:
        document(person)
        return OK
    named = f"{person['name']} " if person["name"] else ""
    say(f"{named}<{person['address']}>, known since {person['known_since']}")
    listing(person["subscriptions"], _SUBSCRIPTIONS, as_json=False, empty="no subscription")
    for one in person["subscriptions"]:
        heading(f"Consent to {one['newsletter']}")
        for what, words in one["consent"].items():
            say(f"  {what}: {words}")
    heading("Sent")
    listing(person["sent"], _SENT, as_json=False, empty="nothing that is still remembered")
    if person["returned"]:
        heading("Came back")
        listing(person["returned"], _RETURNED, as_json=False, empty="")
    return OK


def erase(args: argparse.Namespace) -> int:
    """Leave nothing of one reader but a keyed hash, once a person has said so."""
    from syndicate.cli.output import note
    from syndicate.cli.publication import opened
    from syndicate.publish import signup

    with opened(args) as app:
        person = _record(app, args.address)
        key = app.subscribers.find(args.address)
        if not args.yes and not _agreed(person["address"]):
            note("nothing was erased; give --yes, or type the address when asked")
            return FAILED
        assert key is not None  # its record was read
        signup.erase(app, key, app.now())
    note("erased: a keyed hash keeps the address from being imported again, and nothing else is left here")
    note("backups, and mails that have left, are not in this program's reach")
    return OK


def _record(app: App, address: str) -> dict[str, Any]:
    from syndicate.errors import SyndicateError
    from syndicate.publish import signup

    try:
        key = app.subscribers.find(address)
    except ValueError as error:
        raise SyndicateError(str(error)) from error
    found = None if key is None else signup.record(app, key)
    if found is None:
        msg = "there is no reader with this address; `syndicate subscribers list` shows them"
        raise SyndicateError(msg)
    return found


def _agreed(address: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print("Type the address once more to erase all that is kept of its reader: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == address
