"""The database's door: many readers, and one writer thread through which every change goes.

SQLite in WAL mode with ``synchronous=FULL``. A write always begins IMMEDIATE, so that no
read-modify-write fails half-way for want of the lock. Knows no table.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, OperationalError

from syndicate.errors import StoreError

T = TypeVar("T")
Connection: TypeAlias = sa.Connection  # what `read` and `write` hand over, for those who pass it on

_PATIENCE_SECONDS: Final = 30.0  # how long a write waits for other processes
_BUSY_MILLIS: Final = 5000
_STRIDE_SECONDS: Final = 0.020  # after this much writing without a pause …
_REST_SECONDS: Final = 0.001  # … rest this long, so that other processes get the lock


def database_path(url: str, root: Path) -> Path:
    """The file of a ``sqlite:///`` URL; a relative one stands below the publication.

    Raises
    ------
    StoreError
        Another kind of database.
    """
    prefix = "sqlite:///"
    if not url.startswith(prefix):
        msg = f"database.url is {url!r}; write it like sqlite:///var/syndicate.db"
        raise StoreError(msg)
    return root / url.removeprefix(prefix)


class Store:
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        """Open ``path``, which need not exist yet; what is made holds readers' addresses and is this user's alone.

        Raises
        ------
        StoreError
            The folder or the file cannot be made.
        """
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)  # an empty file is an empty database; SQLite gives its journals the same mode
        except OSError as error:
            msg = f"the database {path} cannot be made: {error.strerror}"
            raise StoreError(msg) from error
        self._readers = _engine(path, begin="BEGIN", query_only=True)
        self._writer = _engine(path, begin="BEGIN IMMEDIATE", query_only=False)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._rested = self._idle_since = time.monotonic()
        self._closed = threading.Event()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent snapshot for as long as the block lasts; writing through it fails.

        Raises
        ------
        StoreError
            The database cannot be read.
        """
        try:
            with self._readers.connect() as connection:
                yield connection
        except DatabaseError as error:
            raise _explained(error, self.path) from error

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in the writer thread inside one transaction; commit, or roll back if it raises.

        Gather everything before: other processes wait while ``work`` runs.

        Raises
        ------
        StoreError
            The database cannot be written (full disk, read-only, locked for 30 s).
        """
        return self._thread.submit(self._transact, work).result()

    def close(self) -> None:
        """Finish what is being written, then close every connection. Closing twice is harmless."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._thread.shutdown(wait=True)
        self._readers.dispose()
        self._writer.dispose()

    def copy_to(self, target: Path) -> None:
        """Copy a consistent snapshot into ``target`` while others go on (SQLite's VACUUM INTO).

        Raises
        ------
        StoreError
            ``target`` exists, or cannot be written.
        """
        if target.exists():
            msg = f"{target} exists; name a file that does not"
            raise StoreError(msg)
        engine = sa.create_engine(f"sqlite:///{self.path}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
        except DatabaseError as error:
            raise _explained(error, target) from error
        finally:
            engine.dispose()

    def _transact(self, work: Callable[[sa.Connection], T]) -> T:
        self._rest()
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                connection = self._writer.connect()
                break
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise _explained(error, self.path) from error
        try:
            with connection:
                transaction = self._begin(connection, give_up)
                with transaction:
                    return work(connection)
        except DatabaseError as error:
            raise _explained(error, self.path) from error
        finally:
            self._idle_since = time.monotonic()

    def _begin(self, connection: sa.Connection, give_up: float) -> sa.RootTransaction:
        while True:
            try:
                return connection.begin()
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise _explained(error, self.path) from error

    def _rest(self) -> None:
        """Leave the lock free for a moment now and then.

        A writer that commits back to back starves the busy handlers of other processes, which sleep
        between their tries.
        """
        now = time.monotonic()
        if now - self._idle_since >= _REST_SECONDS:
            self._rested = now
        elif now - self._rested >= _STRIDE_SECONDS:
            time.sleep(_REST_SECONDS)
            self._rested = time.monotonic()


def _engine(path: Path, *, begin: str, query_only: bool) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": _BUSY_MILLIS / 1000, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:  # noqa: ANN401 - the driver's own connection
        connection.isolation_level = None  # we begin ourselves, see below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLIS}")
        cursor.execute("PRAGMA foreign_keys=ON")
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _is_busy(error: DatabaseError) -> bool:
    return "locked" in str(error.orig) or "busy" in str(error.orig)


def _explained(error: DatabaseError, path: Path) -> StoreError:
    """SQLite's words as one sentence and what to do; never the statement's values."""
    words = str(error.orig)
    advice = {
        "full": "the disk is full: free some space; nothing is lost",
        "disk I/O": "the disk does not take it: it may be full or failing; free some space, then look at the system's log",
        "locked": "another program keeps it locked: stop that program, or wait",
        "readonly": "it is read-only: give this user the right to write it and its folder",
        "unable to open": "it cannot be opened: check the folder's rights",
        "malformed": "it is damaged: restore the newest backup, then `syndicate claim`",
        "not a database": "it is not an SQLite database: check database.url",
        "no such table": "its tables are missing: run `syndicate db upgrade`",
    }
    found = next((text for word, text in advice.items() if word in words), words)
    return StoreError(f"database {path}: {found}")
