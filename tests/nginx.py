"""Debian's nginx with the documented configuration, in a folder of its own on a free port of this machine."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DOCUMENTED = Path(__file__).parents[1] / "deploy" / "nginx.conf"
_BROTLI = "ngx_http_brotli_static_module.so"


def executable() -> str | None:
    """The program's path; Debian keeps it where an ordinary user does not look."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def brotli() -> Path | None:
    """The module for files that are packed with Brotli, where it is installed."""
    program = executable()
    if program is None:
        return None
    told = subprocess.run([program, "-V"], capture_output=True, text=True, check=True).stderr
    folder = re.search(r"--modules-path=(\S+)", told)
    module = Path(folder[1]) / _BROTLI if folder else None
    return module if module and module.exists() else None


@contextmanager
def nginx(folder: Path, publication: Path, program_port: int, *, hub: str = "") -> Iterator[str]:
    """Start it over ``publication``, before the program on ``program_port``; gives its address. ``folder`` is its own."""
    text = DOCUMENTED.read_text(encoding="utf-8")
    text = text.replace("/srv/publication", str(publication)).replace("127.0.0.1:8000", f"127.0.0.1:{program_port}")
    if brotli():
        text = text.replace("#brotli_static on;", "brotli_static on;")
    if hub:
        text = text.replace('#"~^', '"~^').replace("https://hub.example.org/", hub)
    with site(folder, text) as url:
        yield url


@contextmanager
def site(folder: Path, text: str) -> Iterator[str]:
    """Start it with one site that listens on port 80 by its text, and here on a free one."""
    port = _free_port()
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("listen [::]:80;", "")
    (folder / "site.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(_frame(folder, brotli()), encoding="utf-8")
    process = subprocess.Popen(
        [str(executable()), "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(process, port, folder / "error.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _frame(folder: Path, module: Path | None) -> str:
    """What Debian's nginx.conf has around a site, kept to this folder."""
    bodies = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return (
        (f"load_module {module};\n" if module else "")
        + f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nevents {{}}\n"
        + f"http {{\naccess_log {folder}/access.log;\nsendfile on;\ntcp_nopush on;\ngzip on;\n{bodies}include {folder}/site.conf;\n}}\n"
    )


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nginx did not start:\n{log.read_text(encoding='utf-8') if log.exists() else ''}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
