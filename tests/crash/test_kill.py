"""``make crash``: kill the real program at random points, and compare the ledger with what an independent witness saw."""

from __future__ import annotations

import os
from pathlib import Path

from crash.harness import Campaign, fresh_seed
from crash.trial import POINTS
from crash.verdict import told

ENOUGH = 300  # kills after which every named point should have been met


def test_no_kill_loses_or_doubles_anything(tmp_path: Path) -> None:
    seed, kills = os.environ.get("SEED") or fresh_seed(), int(os.environ.get("KILLS") or 500)
    print(f"\nkills {kills}, seed {seed}: repeat with `make crash KILLS={kills} SEED={seed}`", flush=True)
    campaign = Campaign(seed=seed, kills=kills, folder=tmp_path)
    total = campaign.run(until=lambda outcome: bool(outcome.complaints))
    print(total)
    assert not total.complaints, f"seed {seed}, {tmp_path}\n{told(total.complaints)}"
    if kills >= ENOUGH:
        assert set(total.points) == set(POINTS)
