"""``preview``: every rendering of one item, byte for byte what would leave."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from syndicate.cli import FAILED, OK, Parser

if TYPE_CHECKING:
    from pathlib import Path

    from syndicate.app import App
    from syndicate.model import Item
    from syndicate.publish.proof import Proof

_COLUMNS: Final = {"where": "Where", "file": "File", "length": "Length", "cost": "Cost", "note": "Note"}


def parser(prog: str) -> argparse.ArgumentParser:
    """The arguments of ``preview``."""
    made = Parser(
        prog,
        description="Render one item everywhere: feed entries, the mail as HTML, text and .eml, each social channel's text\n"
        "with its exact request; with counts, limits and cost. Sends nothing. Drafts and future items may be looked at.",
        example="  syndicate -C letter preview borrowed-clock --out /tmp/look",
    )
    made.add_argument("item", metavar="ITEM", help="a slug, an id or a file")
    made.add_argument("--out", metavar="DIR", help="write the files there (default: var/preview/SLUG)")
    made.add_argument("--json", action="store_true", help="the table as one JSON document")
    return made


def run(args: argparse.Namespace) -> int:
    """Render, write the files, and tell their sizes."""
    from pathlib import Path

    from syndicate.cli.output import listing, note
    from syndicate.cli.publication import rehearsed, root
    from syndicate.publish.proof import proofs

    with rehearsed(args) as app:
        now = app.now()
        faults = app.content.sync(app.sources, now).faults
        item = found(app, args.item, root(args))
        made = proofs(app, item, now)
        folder = Path(args.out) if args.out else app.var / "preview" / item.slug
    for fault in faults:
        if fault.file == item.path:
            note(str(fault))
    for proof in made:
        if not proof.fault:
            path = folder / proof.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(proof.data)
    listing([_row(proof) for proof in made], _COLUMNS, as_json=args.json, empty="this publication has no outlet for it")
    note(f"{item.slug}: written to {folder}")
    return FAILED if any(proof.fault for proof in made) else OK


def found(app: App, name: str, here: Path) -> Item:
    """The item of that slug, id or file, whatever its state.

    Raises
    ------
    SyndicateError
        There is none; names the nearest.
    """
    from pathlib import Path

    from syndicate.cli.publication import one_of

    path = Path(name).resolve()
    inside = path.relative_to(here).as_posix() if path.is_relative_to(here) else name
    for wanted in (name, inside):
        item = app.content.brief(wanted, now=None) or app.content.quote(wanted)
        if item is not None:
            return item
    now = app.now()
    known = [brief.slug for brief in app.content.briefs(now=now)] + [quote.slug for quote in app.content.quotes(now=now)]
    one_of(name, known, "item")
    raise AssertionError


def _row(proof: Proof) -> dict[str, object]:
    length = "" if proof.count is None else f"{proof.count:,}" + (f" of {proof.limit:,}" if proof.limit else "")
    return {
        "where": proof.where,
        "file": proof.file,
        "length": f"{length} {proof.units}".strip(),
        "count": proof.count,
        "limit": proof.limit,
        "cost": "" if proof.cost is None else f"${proof.cost:.3f}",
        "note": proof.fault or proof.note,
        "ok": not proof.fault,
    }
