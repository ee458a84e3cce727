"""Mailboxes on loopback: Debian's dovecot where it is installed, and a strict server of our own that lets nothing be marked."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

USER, PASSWORD = "bounces@test.example", 'pass word"\\'
DOVECOT = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class Box:
    """What both servers offer to a test."""

    port: int
    mails: dict[int, bytes] = field(default_factory=dict)  # of the fake: UID -> mail
    moved: dict[int, bytes] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # what a strict server will not have
    validity: int = 77
    folder: Path | None = None  # of dovecot

    def put(self, data: bytes) -> None:
        """A mail arrives."""
        if self.folder is None:
            self.mails[max([*self.mails, *self.moved, 0]) + 3] = data
            return
        path = self.folder / "new" / f"{time.time_ns()}.test"
        path.write_bytes(data.replace(b"\r\n", b"\n"))
        path.chmod(0o666)

    def marks(self) -> list[str]:
        """Every mark that stands on a mail of the inbox, as dovecot writes them into file names."""
        if self.folder is None:
            return []
        return [flag for path in (self.folder / "cur").iterdir() for flag in path.name.partition(":2,")[2]]

    def count(self, name: str = "") -> int:
        """How many mails the inbox holds, or the folder of that name."""
        if self.folder is None:
            return len(self.moved if name else self.mails)
        where = self.folder / f".{name}" if name else self.folder
        return sum(1 for part in ("new", "cur") for _ in (where / part).iterdir()) if where.exists() else 0


@contextlib.contextmanager
def dovecot() -> Iterator[Box]:
    """A server of Debian's, with one user and a Maildir."""
    home = Path(tempfile.mkdtemp(prefix="dc"))
    home.chmod(0o755)
    me = pwd.getpwuid(os.getuid())
    owner = me if me.pw_uid else pwd.getpwnam("nobody")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mail = home / "mail"
    for part in ("cur", "new", "tmp", ".Read/cur", ".Read/new", ".Read/tmp"):
        (mail / part).mkdir(parents=True)
    for path in (mail, *mail.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    root = not me.pw_uid  # dovecot then wants the users that its package makes
    inner, outer = ("dovecot", "dovenull") if root else (me.pw_name, me.pw_name)
    group = "dovecot" if root else grp.getgrgid(me.pw_gid).gr_name
    (home / "conf").write_text(
        f"""protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = {inner}
default_login_user = {outer}
default_internal_group = {group}
mail_location = maildir:{mail}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {home}/users
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={mail}
}}
auth_failure_delay = 0
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Read {{
    auto = subscribe
  }}
}}
""",
        encoding="utf-8",
    )
    (home / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n", encoding="utf-8")
    server = subprocess.Popen(
        [str(DOVECOT), "-F", "-c", str(home / "conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(port, server)
        yield Box(port=port, folder=mail)
    finally:
        server.terminate()
        server.wait(timeout=10)
        shutil.rmtree(home, ignore_errors=True)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(50):
        assert server.poll() is None, "dovecot did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2) as line:
            if line.recv(10):
                return
        time.sleep(0.05)
    raise AssertionError("dovecot does not answer")


@contextlib.contextmanager
def strict() -> Iterator[Box]:
    """A server that knows what a reader of foreign mail may say, and writes down everything else."""
    box = Box(port=0)

    class Line(_Line):
        mailbox = box

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Line) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()


class _Line(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    mailbox: Box
    opened = ""  # EXAMINE or SELECT

    def handle(self) -> None:
        """Answer line by line."""
        self._say("* OK [CAPABILITY IMAP4rev1 MOVE UIDPLUS] ready")
        with contextlib.suppress(ConnectionError):
            self._converse()

    def _converse(self) -> None:
        for line in self.rfile:
            tag, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
            verb = rest.partition(" ")[0].upper()
            self._say(f"{tag} {self._answer(verb, rest)}")
            if verb == "LOGOUT":
                return

    def _answer(self, verb: str, rest: str) -> str:
        if verb in {"CAPABILITY", "NOOP", "LOGOUT"}:
            self._say(
                "* CAPABILITY IMAP4rev1 MOVE UIDPLUS" if verb == "CAPABILITY" else "* BYE" if verb == "LOGOUT" else "* OK"
            )
            return "OK done"
        if verb == "LOGIN":
            quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
            return "OK in" if rest == f'LOGIN {USER} "{quoted}"' else "NO who are you"
        if verb in {"EXAMINE", "SELECT"}:
            return self._open(verb, rest)
        return self._uid(rest) if verb == "UID" else self._refuse(rest)

    def _open(self, verb: str, rest: str) -> str:
        box, self.opened = self.mailbox, verb
        if '"INBOX"' not in rest:
            return "NO no such folder"
        following = max([*box.mails, *box.moved, 0]) + 4  # as after mails that were deleted
        for told in (f"{len(box.mails)} EXISTS", f"OK [UIDVALIDITY {box.validity}] x", f"OK [UIDNEXT {following}] x"):
            self._say(f"* {told}")
        return "OK open"

    def _uid(self, rest: str) -> str:
        box = self.mailbox
        if found := re.fullmatch(r"UID SEARCH UID (\d+):(\d+)", rest):
            first, last = int(found[1]), int(found[2])
            uids = [uid for uid in sorted(box.mails) if first <= uid <= last]
            self._say("* SEARCH " + " ".join(map(str, uids or list(box.mails)[-1:])))  # as `n:*` answers with an older one
            return "OK done"
        if self.opened == "EXAMINE" and (found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", rest)):
            data = box.mails[int(found[1])][: int(found[2])]
            self._say(f"* 1 FETCH (UID {found[1]} BODY[]<0> {{{len(data)}}}")
            self.wfile.write(data + b")\r\n")
            return "OK done"
        if (found := re.fullmatch(r'UID MOVE ([\d,]+) "Read"', rest)) and self.opened == "SELECT":
            for uid in map(int, found[1].split(",")):
                box.moved[uid] = box.mails.pop(uid)
            return "OK moved"
        return self._refuse(rest)

    def _refuse(self, rest: str) -> str:
        self.mailbox.wrong.append(rest)
        return "BAD not here"

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


KINDS: dict[str, Any] = {"strict": strict, **({"dovecot": dovecot} if DOVECOT else {})}
