"""What an editor does in a trial: writes briefs with threads and pictures, corrects one, takes one back. Decides by the seed.

Each word of theirs that the witness is to know again carries a mark, ``t0-brief1_part2`` or ``t0-brief1_corrected``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from publication import Publication

PICTURE: Final = Path(__file__).parents[2] / "content" / "media" / "letters-per-week.png"
PARTS: Final = (0, 0, 1, 2)
PICTURED: Final = 0.3  # of the briefs
OFTEN: Final = 0.15  # of the starts, until it is done
# The points that each command passes, besides those of the sending that it begins.
POINTS: Final = {
    "correct": ("correction.after_mark", "correction.before_plan"),
    "withdraw": ("withdrawal.after_mark",),
}


@dataclass(kw_only=True)
class Editor:
    """What has been written and said so far."""

    chance: Random
    lengths: tuple[int, ...] = PARTS  # one of these many posts follow a brief's own one
    parts: dict[str, int] = field(default_factory=dict)  # brief -> posts that follow its own one
    pictured: set[str] = field(default_factory=set)  # briefs
    corrected: list[str] = field(default_factory=list)  # briefs, perhaps by a command that was killed
    withdrawn: list[str] = field(default_factory=list)  # as above

    def write(self, publication: Publication, slug: str, date: str, *, plain: bool) -> None:
        """A brief; ``plain``: without a thread and a picture."""
        front = {}
        self.parts[slug] = 0 if plain else self.chance.choice(self.lengths)
        if self.parts[slug]:
            said = ", ".join(f'"{slug}_part{number + 2}: the boats go on."' for number in range(self.parts[slug]))
            front["social"] = f"{{thread: [{said}]}}"
        if not plain and self.chance.random() < PICTURED:
            self.pictured.add(slug)
            media = publication.root / "content" / "media"
            media.mkdir(exist_ok=True)
            shutil.copy(PICTURE, media)
            front |= {"image": f"/media/{PICTURE.name}", "image_alt": "Letters in each week, as bars"}
        publication.brief(slug, date, **front)

    def deed(self, briefs: list[str]) -> list[str]:
        """The next command of theirs, if it is time for one: a trial has a correction and a withdrawal at most.

        The newest brief is never taken back: whether all have it tells when a trial is idle.
        """
        correct, withdraw, which = (self.chance.random() for _ in range(3))  # always three, whatever there is to put right
        if not self.corrected and correct < OFTEN:
            self.corrected.append(briefs[int(which * len(briefs))])
            return self.correction(self.corrected[0])
        left = [brief for brief in briefs[:-1] if brief not in self.withdrawn]
        if left and not self.withdrawn and withdraw < OFTEN:
            self.withdrawn.append(left[int(which * len(left))])
            return self.withdrawal(self.withdrawn[0])
        return []

    def again(self) -> list[list[str]]:
        """Their commands once more, in case that one was killed before it had begun: asking again changes nothing."""
        corrections = [self.correction(brief) for brief in self.corrected if brief not in self.withdrawn]
        return [*corrections, *map(self.withdrawal, self.withdrawn)]

    def correction(self, brief: str) -> list[str]:
        """The command that corrects a brief."""
        return ["correct", brief, "--severity", "significant", "--text", f"{brief}_corrected: the year was 1987."]

    def withdrawal(self, brief: str) -> list[str]:
        """The command that takes a brief back."""
        return ["withdraw", brief, "--reason", "it was not ours"]
