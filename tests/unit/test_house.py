"""The rules of the repository that no linter knows: who may open words, who writes states, what the core may call."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src/syndicate"
MODULES = sorted(SRC.rglob("*.py"))
CORE = [path for path in MODULES if path.relative_to(SRC).parts[0] in {"words.py", "model.py", "links.py", "plan", "render"}]
OPENERS = {"render/framing.py", "store/content.py"}  # who may open sealed words
STATE_WRITERS = {"store/ledger.py", "store/moves.py", "store/claims.py"}  # the last two serve the first alone (pyproject.toml)
STATE_WRITERS |= {"store/migrations/versions/0008_waiting.py"}  # gives a lease to what an older version took back
DUTY_MAKERS = {"store/ledger.py", "store/duties.py"}  # who may record a new one, pending
FUNCTION_LINES = 60
FILE_LINES = 400
ROOMS_WITHOUT_A_TRADE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "handler",
    "service",
    "core",
    "common",
    "base",
    "misc",
}
# What a pure function may not call, by the last names of the call.
IMPURE_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic", "time.sleep", "uuid4", "uuid.uuid4",
    "uuid1", "uuid.uuid1", "open", "io.open", "os.open", "print", "input", "random", "urandom", "os.urandom", "getenv", "os.getenv", "token_bytes",
    "token_hex", "token_urlsafe",
}  # fmt: skip
IMPURE_METHODS = {
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "mkdir",
    "unlink",
    "urlopen",
    "getaddrinfo",
    "create_connection",
}
CHANGES = re.compile(r"\b(?:update|delete\s+from|replace\s+into|insert\s+or\s+replace\s+into)\s+delivery\b", re.IGNORECASE)
ADDITIONS = re.compile(r"\binsert\s+(?:or\s+\w+\s+)?into\s+delivery\b", re.IGNORECASE)
# Paths of one machine; spelled so that this file does not hold them itself.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:wor" + r"k|tm" + r"p/w|roo" + r"t|hom" + r"e/[a-z]+)(?:/|\b)")
OUTSIDE = re.compile(r"\.\./shar" + r"ed|pypi\.or" + r"g|localhost:\d+/simple")
TOP = ["src", "tests", "config", "content", "templates", "docs", "deploy", ".ci"]
TEXT_SUFFIXES = {
    "",
    ".py",
    ".toml",
    ".md",
    ".txt",
    ".j2",
    ".css",
    ".json",
    ".service",
    ".svg",
    ".html",
    ".yaml",
    ".yml",
    ".eml",
    ".csv",
}


def trees(paths: list[Path]) -> Iterator[tuple[str, ast.Module]]:
    for path in paths:
        yield path.relative_to(SRC).as_posix(), parsed(path)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name or attribute; the last two parts at most."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts[:2]))


def opens_words(tree: ast.Module) -> list[int]:
    return [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in {"reveal", "_Words__text"}
    ]


def impure(tree: ast.Module) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in IMPURE_CALLS or name.rpartition(".")[2] in IMPURE_METHODS:
                found.append((node.lineno, name))
        elif isinstance(node, ast.Attribute) and dotted(node) == "os.environ":
            found.append((node.lineno, "os.environ"))
    return found


def touches_deliveries(tree: ast.Module, verbs: set[str], sql: re.Pattern[str]) -> list[int]:
    """Lines that write the delivery table, by SQLAlchemy's methods and functions (``verbs``) or in SQL."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and sql.search(node.value):
            found.append(node.lineno)
        if not isinstance(node, ast.Call):
            continue
        targets = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
        if dotted(node.func).rpartition(".")[2] in verbs and any(
            dotted(one) in {"schema.delivery", "delivery"} for one in targets
        ):
            found.append(node.lineno)
    return found


def changes_deliveries(tree: ast.Module) -> list[int]:
    return touches_deliveries(tree, {"update", "delete"}, CHANGES)


def adds_deliveries(tree: ast.Module) -> list[int]:
    return touches_deliveries(tree, {"insert"}, ADDITIONS)


def repository_files() -> Iterator[Path]:
    """Every text file that is part of the repository, not of what was made in it."""
    for name in TOP:
        yield from (path for path in sorted((ROOT / name).rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != ".coverage")


def test_only_the_gate_and_the_content_store_open_a_quotations_words() -> None:
    found = {name: lines for name, tree in trees(MODULES) if (lines := opens_words(tree)) and name != "words.py"}
    assert found.keys() <= OPENERS, found


def test_the_search_for_opened_words_finds_them() -> None:
    assert opens_words(ast.parse("def f(quote):\n    return quote.words.reveal()\n")) == [2]
    assert opens_words(ast.parse("take = quote.words.reveal\n")) == [1]


def test_only_the_ledger_changes_deliveries() -> None:
    found = {name: lines for name, tree in trees(MODULES) if (lines := changes_deliveries(tree))}
    assert set(found) == STATE_WRITERS, found


def test_new_deliveries_are_recorded_in_one_place() -> None:
    found = {name: lines for name, tree in trees(MODULES) if (lines := adds_deliveries(tree))}
    assert found.keys() <= DUTY_MAKERS, found


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("schema.delivery.update()", True),
        ("sa.update(schema.delivery)", True),
        ("sa.delete(delivery)", True),
        ('text("UPDATE delivery SET state = 1")', True),
        ("schema.delivery.insert().from_select(x, y)", False),
        ('text("insert\\n into delivery(x) values (1)")', False),
    ],
)
def test_the_search_for_written_deliveries_finds_them(code: str, *, changes: bool) -> None:
    tree = ast.parse(code)
    assert (bool(changes_deliveries(tree)), bool(adds_deliveries(tree))) == (changes, not changes)


def test_the_core_calls_nothing_impure() -> None:
    found = {name: calls for name, tree in trees(CORE) if (calls := impure(tree))}
    assert not found, found


@pytest.mark.parametrize(
    "code", ["datetime.now(UTC)", "datetime.datetime.now()", "uuid4()", "open('x')", "path.read_text()", "os.environ['X']"]
)
def test_the_search_for_impure_calls_finds_them(code: str) -> None:
    assert impure(ast.parse(code))


def test_every_module_says_what_lives_in_it() -> None:
    silent = [name for name, tree in trees(MODULES) if not ast.get_docstring(tree)]
    assert not silent, silent


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name, tree in trees(MODULES)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, long


def test_files_are_one_room_each() -> None:
    rooms = [path for path in MODULES if "migrations" not in path.parts]  # a migration is one piece by its nature
    lengths = {path.relative_to(SRC).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in rooms}
    long = {name: lines for name, lines in lengths.items() if lines > FILE_LINES}
    assert not long, long


def test_rooms_are_named_by_their_trade() -> None:
    names = {path.stem for path in MODULES} | {path.name for path in SRC.rglob("*") if path.is_dir()}
    assert not names & ROOMS_WITHOUT_A_TRADE


def test_every_channel_has_its_shelf_of_tests() -> None:
    tested = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"][
        "syndicate.channels"
    ]
    for kind, target in points.items():
        assert target.startswith(f"syndicate.channels.{kind}:")
        assert f"test_{kind}" in tested


def test_the_repository_speaks_of_no_machine() -> None:
    found = []
    for path in repository_files():
        if path.suffix not in TEXT_SUFFIXES:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if MACHINE_PATHS.search(line) or OUTSIDE.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found, found


def test_the_search_for_machine_paths_knows_addresses_from_paths() -> None:
    assert MACHINE_PATHS.search("see /wor" + "k/x")
    assert not MACHINE_PATHS.search("https://example.org/wor" + "k/x")


def test_constraints_pin_every_dependency_and_name_no_registry() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*", line) for line in lines), lines
    pinned = {line.partition("==")[0] for line in lines}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"], *project["optional-dependencies"]["lint"]]
    names = {re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower().replace("_", "-") for requirement in wanted}
    assert names <= pinned, names - pinned
