"""SQLite as the store opens it: one writer at a time, snapshots for readers, clear words when it fails."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from syndicate.errors import StoreError
from syndicate.store import migrate, schema
from syndicate.store.database import Store, database_path

COUNT = sa.text("SELECT count(*) FROM meta")
ADD = sa.text("INSERT INTO meta VALUES (:name, '')")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "var" / "a.db")
    migrate.ensure(store)
    yield store
    store.close()


def test_the_first_migration_makes_the_tables_of_the_schema(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        strict = (
            connection.execute(sa.text("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0"))
            .scalars()
            .all()
        )
    assert set(strict) == {"alembic_version", "sqlite_schema", "sqlite_sequence"} & set(strict)


def test_the_head_is_the_newest_migration() -> None:
    folder = Path(migrate.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == migrate.HEAD


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    def work(connection: sa.Connection) -> None:
        connection.execute(ADD, {"name": "half"})
        raise KeyError("stop")

    with pytest.raises(KeyError):
        store.write(work)
    with store.read() as connection:
        assert connection.execute(COUNT).scalar() == 0


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match=r"read-only|readonly|attempt to write"), store.read() as connection:
        connection.execute(ADD, {"name": "sly"})


def test_a_reader_keeps_its_snapshot_while_others_write(store: Store) -> None:
    with store.read() as connection:
        before = connection.execute(COUNT).scalar()
        store.write(lambda writing: writing.execute(ADD, {"name": "new"}).close())
        assert connection.execute(COUNT).scalar() == before
    with store.read() as connection:
        assert connection.execute(COUNT).scalar() == 1


def test_writers_of_many_threads_lose_no_update(store: Store) -> None:
    store.write(lambda connection: connection.execute(sa.text("INSERT INTO meta VALUES ('n', '0')")).close())

    def add() -> None:
        for _ in range(25):
            store.write(
                lambda connection: connection.execute(sa.text("UPDATE meta SET value = value + 1 WHERE name = 'n'")).close()
            )

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert connection.execute(sa.text("SELECT value FROM meta WHERE name = 'n'")).scalar() == "100"


OTHER_PROCESS = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
print("ready", flush=True)
sys.stdin.readline()
began = time.monotonic()
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO meta VALUES ('other', '')")
connection.execute("COMMIT")
print(time.monotonic() - began, flush=True)
"""


def test_changes_that_wait_together_share_a_commit_and_no_failure(store: Store) -> None:
    begun, go = threading.Event(), threading.Event()

    def hold(_: sa.Connection) -> None:
        begun.set()
        go.wait(20)

    def put(name: str, *, fails: bool) -> int:
        def work(connection: sa.Connection) -> int:
            connection.execute(sa.text("INSERT INTO meta VALUES (:n, '')"), {"n": name})
            if fails:
                raise KeyError(name)
            return connection.execute(sa.text("SELECT count(*) FROM meta WHERE name IN ('a', 'b', 'c')")).scalar_one()

        return store.write(work)

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(store.write, hold)
        assert begun.wait(20)
        changes = []
        for name in "abc":
            changes.append(threads.submit(put, name, fails=name == "b"))
            while store._waiting.qsize() < len(changes):
                time.sleep(0.001)
        go.set()
        assert [changes[0].result(), changes[2].result()] == [1, 2]  # the last sees the first, and nothing of the other
        with pytest.raises(KeyError):
            changes[1].result()
        first.result()
    with store.read() as connection:
        assert set(connection.execute(sa.text("SELECT name FROM meta WHERE name IN ('a', 'b', 'c')")).scalars()) == {"a", "c"}


def test_another_process_gets_its_turn_while_we_write_back_to_back(store: Store) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(store.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    number, end = 0, time.monotonic() + 30
    while other.poll() is None and time.monotonic() < end:
        number += 1
        store.write(lambda connection, number=number: connection.execute(ADD, {"name": f"row {number}"}).close())
    assert float(other.stdout.read()) < 5
    assert number > 0
    other.stdin.close()
    other.stdout.close()


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("this is not a database, it is a text of more than sixteen bytes\n" * 20, encoding="utf-8")
    store = Store(path)
    with pytest.raises(StoreError, match=r"not an SQLite database: check database\.url"):
        migrate.ensure(store)
    store.close()


def test_a_newer_database_is_left_alone(store: Store) -> None:
    store.write(lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")).close())
    with pytest.raises(StoreError, match="newer syndicate"):
        migrate.ensure(store)


def test_an_older_database_says_how_to_upgrade(store: Store) -> None:
    store.write(lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'")).close())
    with pytest.raises(StoreError, match="syndicate db upgrade"):
        migrate.ensure(store)


def test_a_full_disk_is_told_in_plain_words(store: Store) -> None:
    with store.read() as connection:
        pages = connection.execute(sa.text("PRAGMA page_count")).scalar_one()

    def fill(connection: sa.Connection) -> None:
        connection.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
        connection.execute(sa.text("INSERT INTO meta VALUES ('big', :v)"), {"v": "x" * 1_000_000})

    with pytest.raises(StoreError, match="the disk is full: free some space; nothing is lost"):
        store.write(fill)


def test_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"sqlite:///var/syndicate\.db"):
        database_path("postgresql://localhost/syndicate", tmp_path)


def test_closing_twice_is_harmless(store: Store) -> None:
    store.close()
    store.close()


def test_the_database_is_its_users_alone(store: Store) -> None:
    store.write(lambda connection: connection.execute(ADD, {"name": "reader"}).close())
    modes = {path.name: path.stat().st_mode & 0o777 for path in (store.path.parent, *store.path.parent.iterdir())}
    assert modes == {"var": 0o700, "a.db": 0o600, "a.db-wal": 0o600, "a.db-shm": 0o600}
