"""``--help`` of the real command: quick, complete and kind."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from syndicate.cli import COMMANDS

# What loads when the help is printed, and nothing else: `sys.modules` also knows what importlib brought.
PROBE = """
import sys
from syndicate.cli import main
code = main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {
    "alembic", "apscheduler", "asyncio", "concurrent", "cronsim", "csv", "dataclasses", "email", "feedgen", "http", "httpx", "idna",
    "inspect", "jinja2", "json", "logging", "lxml", "markdown_it", "nh3", "pathlib", "premailer", "pydantic", "pydantic_settings", "regex",
    "rich", "sqlalchemy", "sqlite3", "ssl", "starlette", "structlog", "subprocess", "tempfile", "tomllib", "tweepy", "urllib", "uvicorn",
    "watchfiles", "yaml", "zoneinfo",
}  # fmt: skip


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "syndicate", *arguments)


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=False)


def modules(*arguments: str) -> set[str]:
    """What a command has loaded by the time it leaves, beyond what the interpreter itself starts with."""
    bare = python("-c", "import argparse, sys; print(*sys.modules)").stdout.split()
    return set(python("-c", PROBE, *arguments).stderr.split()) - set(bare)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_no_heavy_library(command: str) -> None:
    loaded = modules(*filter(None, [command]), "--help")
    assert "syndicate.cli" in loaded
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()


def test_help_loads_the_module_of_the_named_command_alone() -> None:
    assert {name for name in modules("claim", "--help") if name.startswith("syndicate.")} == {
        "syndicate.cli",
        "syndicate.cli.claim",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    answer = ask(command, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"usage: syndicate {command}")
    assert "\nexample:\n  syndicate " in answer.stdout
    assert answer.stderr == ""


def test_the_first_help_lists_every_command() -> None:
    answer = ask("--help")
    assert answer.returncode == 0
    assert re.findall(r"^  ([a-z]+)  ", answer.stdout, re.MULTILINE) == list(COMMANDS)


def test_no_command_shows_the_help_and_is_a_mistake_of_usage() -> None:
    answer = ask()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "commands:" in answer.stderr


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"syndicate \d+\.\d+\.\d+\n", ask("--version").stdout)


def test_a_mistyped_command_is_met_with_the_nearest() -> None:
    answer = ask("plam")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "syndicate: there is no command `plam`; did you mean `plan`?\n"
