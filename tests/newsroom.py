"""Two people of an invented newsroom, and what they say on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndicate.cli import main

SECRETS = {"Ada": "ada-keeps-a-lighthouse", "Bo": "bo-counts-the-boats", "Cy": "cy-mends-the-nets"}
ROLES = {"Ada": ["verifier"], "Bo": ["approver"], "Cy": ["verifier", "approver"]}


class Newsroom:
    """A publication whose commands are given by people with passphrases in a file."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self._patch = patch
        self._file = root.parent / "passphrases"

    def say(self, *arguments: str, secrets: tuple[str, ...] = ()) -> int:
        """Give a command; ``secrets`` are the lines of the passphrase file."""
        self._file.write_text("".join(f"{line}\n" for line in secrets))
        self._patch.setenv("SYNDICATE_PASSPHRASE_FILE", str(self._file))
        return main(["-C", str(self.root), *arguments])

    def hire(self, *names: str) -> None:
        """Add people with their roles."""
        for name in names:
            roles = [part for role in ROLES[name] for part in ("--role", role)]
            assert self.say("people", "add", name, *roles, secrets=(SECRETS[name],)) == 0

    def act(self, name: str, verb: str, *arguments: str) -> int:
        """One act of one person on quotes."""
        return self.say("quotes", verb, *arguments, "--as", name, secrets=(SECRETS[name],))
