"""The database's door: many readers, and one writer thread through which every change goes.

SQLite in WAL mode with ``synchronous=FULL``. A write always begins IMMEDIATE, so that no
read-modify-write fails half-way for want of the lock. Changes that wait at the same time share one
commit, each in a savepoint of its own. Knows no table.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
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
_DAMAGED: Final = {"SQLITE_CORRUPT": "malformed", "SQLITE_NOTADB": "not a database"}
_READER_CACHE_KIB: Final = 512  # of each reading connection: the system keeps the file's pages anyhow, once for all
_MOST_TOGETHER: Final = 64  # changes in one commit


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
        self._waiting: SimpleQueue[_Change | None] = SimpleQueue()
        self._rested = self._idle_since = time.monotonic()
        self._line: sa.Connection | None = None  # the writer thread's
        self._door = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self._thread.start()

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
        except (DatabaseError, sqlite3.Error) as error:
            raise _explained(error, self.path) from error

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run ``work`` in the writer thread inside a transaction; commit, or undo all of it if it raises.

        What other threads ask for meanwhile is committed together with it. Gather everything before: other
        processes wait while ``work`` runs.

        Raises
        ------
        StoreError
            The database cannot be written (full disk, read-only, locked for 30 s), or it is closed.
        """
        change = _Change(work)
        with self._door:
            if self._closed:
                msg = f"database {self.path}: it is closed"
                raise StoreError(msg)
            self._waiting.put(change)
        found: T = change.done.result()
        return found

    def close(self) -> None:
        """Finish what is being written, then close every connection. Closing twice is harmless."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            self._waiting.put(None)
        self._thread.join()
        self._readers.dispose()
        self._writer.dispose()

    def copy_to(self, target: Path, finish: Callable[[Path], None] = lambda _: None) -> None:
        """Copy a consistent snapshot into ``target`` while others go on (SQLite's VACUUM INTO).

        It has that name once it is whole and ``finish`` is done with it: whoever dies before leaves no such file.

        Raises
        ------
        StoreError
            ``target`` exists, or cannot be written, or this database is damaged. Nothing of a copy is left then.
        """
        if target.exists():
            msg = f"{target} exists; name a file that does not"
            raise StoreError(msg)
        part = target.with_name(f".{target.name}.part")
        with suppress(OSError):
            part.unlink()  # of somebody who died
        engine = sa.create_engine(f"sqlite:///{self.path}", isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("VACUUM INTO ?", (str(part),))
            finish(part)
            part.replace(target)
        except DatabaseError as error:
            raise _explained(error, self.path if _code(error) in _DAMAGED else target) from error
        finally:
            engine.dispose()
            with suppress(OSError):
                part.unlink()

    def _serve(self) -> None:
        """The writer thread: all that waits, in one transaction, until the store is closed."""
        going = True
        while going:
            changes: list[_Change] = []
            found = self._waiting.get()
            try:
                while found is not None and len(changes) < _MOST_TOGETHER:
                    changes.append(found)
                    found = self._waiting.get_nowait() if len(changes) < _MOST_TOGETHER else found
            except Empty:
                pass
            going = found is not None
            if changes:
                self._transact(changes)
        self._let_go()

    def _transact(self, changes: Sequence[_Change]) -> None:
        """Every change, then the commit, then the news."""
        self._rest()
        try:
            give_up = time.monotonic() + _PATIENCE_SECONDS
            connection = self._connected(give_up)
            with self._begin(connection, give_up):
                for change in changes:
                    change.run(connection, alone=len(changes) == 1)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the change is told
            self._let_go()
            told = _explained(error, self.path) if isinstance(error, DatabaseError | sqlite3.Error) else error
            for change in changes:
                change.fail(told)
        else:
            for change in changes:
                change.tell(self.path)
        finally:
            self._idle_since = time.monotonic()

    def _connected(self, give_up: float) -> sa.Connection:
        """The writer thread's own connection: to fetch one from the pool costs as much as a small change."""
        while self._line is None:
            try:
                self._line = self._writer.connect()
            except OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise
        return self._line

    def _let_go(self) -> None:
        """Away with the writer's connection, and with whatever it had begun."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(DatabaseError):
                line.close()

    def _begin(self, connection: sa.Connection, give_up: float) -> sa.RootTransaction:
        while True:
            try:
                return connection.begin()
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > give_up:
                    raise

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


class _Change:
    """One thing to be written, and who waits for it."""

    def __init__(self, work: Callable[[sa.Connection], Any]) -> None:
        self.done: Future[Any] = Future()
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self, connection: sa.Connection, *, alone: bool) -> None:
        """Do it; what it raises is kept, and undone without touching what shares its transaction."""
        if alone:
            self._result = self._work(connection)
            return
        raw = driver(connection)
        raw.execute("SAVEPOINT change")
        try:
            self._result = self._work(connection)
        except BaseException as error:
            if not raw.in_transaction:  # a full disk: SQLite has rolled back all of it
                raise
            self._error = error
            raw.execute("ROLLBACK TO change")
        raw.execute("RELEASE change")

    def tell(self, path: Path) -> None:
        """What came of it, once it is on the disk."""
        if self._error is None:
            self.done.set_result(self._result)
        else:
            raw = isinstance(self._error, DatabaseError | sqlite3.Error)
            self.fail(_explained(self._error, path) if raw else self._error)

    def fail(self, error: BaseException) -> None:
        """It is not done."""
        self.done.set_exception(error)


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
            cursor.execute(f"PRAGMA cache_size=-{_READER_CACHE_KIB}")
        else:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        driver(connection).execute(begin)

    return engine


def driver(connection: sa.Connection) -> sqlite3.Connection:
    """SQLite's own connection, for the statements that run for every message."""
    found: Any = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _is_busy(error: Exception) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _code(error: BaseException) -> str:
    """SQLite's own name of what is wrong; ``""`` where the driver found it out."""
    return getattr(error.orig if isinstance(error, DatabaseError) else error, "sqlite_errorname", "")


def _explained(error: BaseException, path: Path) -> StoreError:
    """SQLite's words as one sentence and what to do; never the statement's values."""
    # Of a damaged database that is to be copied SQLite says in words that the copy cannot be opened.
    words = _DAMAGED.get(_code(error)) or str(error.orig if isinstance(error, DatabaseError) else error)
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
