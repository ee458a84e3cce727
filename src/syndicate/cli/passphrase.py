"""Asking a person who they are: a passphrase on the terminal without echo, or line by line from a file for scripts."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.errors import SyndicateError

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.store.people import Person

FILE: Final = "SYNDICATE_PASSPHRASE_FILE"  # each question takes its next line


class Asking:
    """The questions of one command."""

    def __init__(self) -> None:
        """Open the file that the environment names, if any.

        Raises
        ------
        SyndicateError
            It cannot be read.
        """
        self._lines: list[str] | None = None
        named = os.environ.get(FILE, "")
        if named:
            try:
                self._lines = Path(named).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                msg = f"{FILE} names a file that cannot be read as text"
                raise SyndicateError(msg) from error

    def passphrase(self, whose: str, *, new: bool = False) -> str:
        """The passphrase of ``whose``; a new one is asked for twice on a terminal.

        Raises
        ------
        SyndicateError
            Nobody can be asked, or the two differ.
        """
        if self._lines is not None:
            if not self._lines:
                msg = f"the file of {FILE} has no line left for the passphrase of {whose}"
                raise SyndicateError(msg)
            return self._lines.pop(0)
        if not sys.stdin.isatty():
            msg = f"a passphrase is asked for on a terminal; a script names a file in {FILE}, one passphrase a line"
            raise SyndicateError(msg)
        given = getpass.getpass(f"{'New passphrase' if new else 'Passphrase'} of {whose}: ")
        if new and getpass.getpass("Once more: ") != given:
            msg = "the two passphrases differ; nothing was changed"
            raise SyndicateError(msg)
        return given


def acting(app: App, name: str, asking: Asking) -> Person:
    """The person who gives this command, proved by their passphrase.

    Raises
    ------
    SyndicateError
        The name or the passphrase is wrong.
    """
    from syndicate.cli.publication import who

    if not app.people.everybody():
        msg = "there are no people yet; `syndicate people add NAME --role verifier` and an approver come first"
        raise SyndicateError(msg)
    name = name or who()
    return app.people.known(name, asking.passphrase(name), now=app.now())
