"""The harness is tested with faults put into the program: it must catch each, and pass the program without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crash.harness import Campaign, Program, Witness
from crash.mutants import MUTANTS
from crash.scenes import Scene
from crash.verdict import told

KILLS = 30


def caught(mutant: str, found: object) -> bool:
    return bool(getattr(found, MUTANTS[mutant].seen_as))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_harness_catches(mutant: str, tmp_path: Path) -> None:
    wanted = MUTANTS[mutant]
    if wanted.play is not None:
        with Witness(tmp_path, mutant) as witness, Program(mutant) as program:
            wrong = wanted.play(Scene(tmp_path / "p", witness, program))
        print(f"\n{mutant}: {told(wrong)}")
        assert wrong
        return
    campaign = Campaign(
        seed=mutant, kills=KILLS, folder=tmp_path, mutant=mutant, point=wanted.point, faults=wanted.faults, kills_per_trial=3
    )
    total = campaign.run(until=lambda outcome: caught(mutant, outcome))
    print(f"\n{mutant}: {total}")
    assert caught(mutant, total), told(total.complaints)


@pytest.mark.parametrize("mutant", ["resend"])
def test_kills_at_random_catch_it_too(mutant: str, tmp_path: Path) -> None:
    campaign = Campaign(seed=mutant, kills=KILLS * 5, folder=tmp_path, mutant=mutant)
    total = campaign.run(until=lambda outcome: caught(mutant, outcome))
    print(f"\n{mutant}: {total}")
    assert caught(mutant, total), told(total.complaints)
