"""Opening the publication that a command works on, as it is or as a copy that nothing can spoil."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from syndicate.errors import SyndicateError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from syndicate.app import App
    from syndicate.store.database import Store

_URL: Final = "SYNDICATE_DATABASE__URL"


def root(args: argparse.Namespace) -> Path:
    """The publication's folder, absolute."""
    return Path(args.folder).resolve()


@contextmanager
def opened(args: argparse.Namespace, *, at: datetime | None = None, overlay: Mapping[str, str] | None = None) -> Iterator[App]:
    """The publication itself: what is done stays done. ``overlay`` adds to the environment."""
    from syndicate import log
    from syndicate.app import open_app

    log.configure(verbose=bool(os.environ.get("SYNDICATE_DEBUG")))
    with open_app(root(args), at=at, environ={**os.environ, **(overlay or {})}) as app:
        yield app


@contextmanager
def database(args: argparse.Namespace) -> Iterator[Store]:
    """The publication's database alone, whatever its version.

    Raises
    ------
    SyndicateError
        There is none yet.
    """
    from syndicate.settings import load
    from syndicate.store.database import Store, database_path

    path = database_path(load(root(args), os.environ).database.url, root(args))
    if not path.exists():
        msg = f"there is no database at {path} yet; `syndicate run` makes it"
        raise SyndicateError(msg)
    store = Store(path)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def rehearsed(args: argparse.Namespace, *, at: datetime | None = None) -> Iterator[App]:
    """The publication with a copy of its database, thrown away afterwards: the command may plan and render, and writes nothing.

    A publication that has never run gets an empty database, whose start mark is now.
    """
    from tempfile import TemporaryDirectory

    from syndicate import log
    from syndicate.app import open_app
    from syndicate.errors import StoreError
    from syndicate.settings import load
    from syndicate.store.database import Store, database_path

    log.configure(verbose=bool(os.environ.get("SYNDICATE_DEBUG")))
    here = root(args)
    path = database_path(load(here, os.environ).database.url, here)
    with TemporaryDirectory(prefix="syndicate-") as folder:
        copy = Path(folder) / "syndicate.db"
        try:
            if path.exists():
                store = Store(path)
                try:
                    store.copy_to(copy)
                finally:
                    store.close()
            with open_app(here, at=at, environ={**os.environ, _URL: f"sqlite:///{copy}"}) as app:
                yield app
        except StoreError as error:  # what is wrong with the copy is wrong with what it was made of
            raise StoreError(str(error).replace(str(copy), str(path))) from error


@contextmanager
def looked_at(args: argparse.Namespace) -> Iterator[App]:
    """The publication for a command that only reads: one that has never run is not begun by looking."""
    from syndicate.settings import load
    from syndicate.store.database import database_path

    here = root(args)
    begun = database_path(load(here, os.environ).database.url, here).exists()
    with opened(args) if begun else rehearsed(args) as app:
        yield app


def who() -> str:
    """Who gives this command, for the audit log: the name of the account at this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def one_of(name: str, known: Iterable[str], what: str) -> str:
    """``name`` where it is known.

    Raises
    ------
    SyndicateError
        Naming the nearest that is.
    """
    from difflib import get_close_matches

    names = sorted(known)
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(names)}" if names else "there is none"
    msg = f"no {what} is called {name!r}; {hint}"
    raise SyndicateError(msg)


def only(name: str, known: Iterable[str], what: str) -> str:
    """``name``, or the only one there is where ``name`` is empty.

    Raises
    ------
    SyndicateError
        There are several, or none of that name.
    """
    names = sorted(known)
    if name:
        return one_of(name, names, what)
    if len(names) == 1:
        return names[0]
    msg = f"name the {what}: {', '.join(names)}" if names else f"this publication has no {what}"
    raise SyndicateError(msg)
