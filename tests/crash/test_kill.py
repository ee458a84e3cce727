"""``make crash``: kill the real program at random points, and compare the ledger with what an independent witness saw."""

from __future__ import annotations

import os
from pathlib import Path

from crash.harness import Campaign, fresh_seed
from crash.trial import POINTS, Outcome
from crash.verdict import told

ENOUGH = 300  # kills after which every named point should have been met


def test_no_kill_loses_or_doubles_anything(tmp_path: Path) -> None:
    seed, kills = os.environ.get("SEED") or fresh_seed(), int(os.environ.get("KILLS") or 500)
    print(f"\nkills {kills}, seed {seed}: repeat with `make crash KILLS={kills} SEED={seed}`", flush=True)
    campaign = Campaign(seed=seed, kills=kills, folder=tmp_path)

    def looked_at(outcome: Outcome) -> bool:
        if len(campaign.outcomes) % 10 == 0:
            print(f"{campaign.total().kills} kills so far", flush=True)
        return bool(outcome.complaints)

    total = campaign.run(until=looked_at)
    print(total)
    assert not total.complaints, f"seed {seed}, {tmp_path}\n{told(total.complaints)}"
    if kills >= ENOUGH:
        assert set(total.points) == set(POINTS)
