"""The wheel works without the checkout: installed into an environment of its own, it makes and runs a publication."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT = 180  # seconds


def call(*command: str | Path, cwd: Path, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environ, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once; where the build back end is neither here nor to be had, there is nothing to test."""
    folder = tmp_path_factory.mktemp("wheel")
    here = ["--no-build-isolation"] if find_spec("hatchling") else []
    built = call(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", ROOT),
        *("--no-deps", "--no-cache-dir", "--quiet", "--wheel-dir", folder, *here),
        cwd=folder,
    )
    if built.returncode and not here:
        pytest.skip(f"the build back end (hatchling) is not here and could not be fetched: {built.stderr.strip()[-200:]}")
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``syndicate`` of a fresh environment; the libraries that it needs are those of this one."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    installed = call(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python),
        *("install", "--no-deps", "--no-index", "--no-compile", "--quiet", wheel),
        cwd=place,
    )
    assert installed.returncode == 0, installed.stderr
    # Behind its own packages, and without this environment's .pth files: they lead to the checkout.
    own = next(place.glob("lib/python*/site-packages"))
    paths = sysconfig.get_paths()
    (own / "libraries.pth").write_text("\n".join({paths["purelib"], paths["platlib"]}), encoding="utf-8")
    return place / "bin" / "syndicate"


def test_the_wheel_carries_the_starter_and_the_migrations_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = {
        path.relative_to(ROOT).as_posix()
        for folder in ("config", "content", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {f"syndicate/starter/{path}" for path in carried | {"feeds/feed.css"}} <= names
    assert "syndicate/store/migrations/versions/0001_first.py" in names
    assert "syndicate/py.typed" in names
    desk = ROOT / "src/syndicate/web/desk"
    drawn = {path.relative_to(ROOT / "src").as_posix() for part in ("paper", "static") for path in (desk / part).iterdir()}
    assert drawn
    assert drawn <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/")) or "/demo/" in name]


def test_an_installed_wheel_makes_and_runs_a_publication_far_from_the_checkout(command: Path, tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    module = call(
        command.with_name("python"), "-c", "import syndicate; print(syndicate.__file__)", cwd=tmp_path, environ=environ
    )
    assert str(command.parents[1]) in module.stdout, module.stderr
    made = call(command, "init", "X", "--sample", cwd=tmp_path, environ=environ)
    assert made.returncode == 0, made.stderr
    ran = call(command, "-C", "X", "run", "--once", cwd=tmp_path, environ=environ)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "X" / "feeds" / "briefs.atom").stat().st_size > 1000
    assert len(list((tmp_path / "X" / "var" / "outbox" / "mail").rglob("*.eml"))) == 4
