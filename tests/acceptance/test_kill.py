"""A short crash campaign in the ordinary suite; ``make crash`` runs the long one."""

from __future__ import annotations

from pathlib import Path

from crash.harness import Campaign
from crash.verdict import told


def test_half_a_dozen_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    campaign = Campaign(seed="short", kills=6, kills_per_trial=6, folder=tmp_path)
    total = campaign.run()
    assert not total.complaints, told(total.complaints)
    assert total.kills == 6
    assert total.witnessed > 30, str(total)
