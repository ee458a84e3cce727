"""The witness's mail server: takes what comes along, is as slow as it is told to be, and fails as it is told to.

Each connection has a thread. A message is written down before it is answered.
"""

from __future__ import annotations

import binascii
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FAULTS: Final = ("rcpt_451", "rcpt_cut", "text_cut", "dot_451", "accept_cut")
END: Final = b"\r\n.\r\n"
ID: Final = re.compile(rb"(?mi)^Message-ID:\s*<([^>]+)>")
HTML: Final = re.compile(rb"(?i)content-type: text/html")
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: a cut is a reset, not a goodbye


@dataclass(kw_only=True)
class Manner:
    """How it behaves from now on."""

    faults: float = 0.0  # share of the requests that meet one
    slow: float = 0.0  # seconds before a message is answered, and up to half as many more
    pipelining: bool = True  # offered
    liar: bool = False  # … and then what came along with a message is thrown away
    cuts: bool = False  # every message is taken, and no answer given


class Sink:
    """Listens until its process ends."""

    def __init__(
        self, write: Callable[..., None], fault: Callable[[tuple[str, ...], str], str], spread: Callable[[], float]
    ) -> None:
        """``write`` keeps a line, ``fault`` draws one, ``spread`` is a number below one."""
        self._write, self._fault, self._spread = write, fault, spread
        self.manner = Manner()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            line, _ = self._socket.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(line,), daemon=True).start()

    def _converse(self, line: socket.socket) -> None:
        try:
            _Talk(line, self).go()
        except OSError:
            line.close()

    def draw(self) -> str:
        """What befalls the next message; "" for nothing."""
        if not self.manner.cuts:
            return self._fault(FAULTS, "mail")
        self._write(fault="accept_cut", where="mail")
        return "accept_cut"

    def take(self, to: str, data: bytes) -> None:
        """Write a message down; then be slow."""
        found = ID.search(data)
        html = HTML.search(data)
        text = binascii.a2b_qp(data[: html.start()] if html else data)
        self._write(where="mail", to=to, id=found[1].decode() if found else "", text=text.decode("utf-8", "replace"))
        if self.manner.slow:
            time.sleep(self.manner.slow * (1 + self._spread() / 2))


class _Talk:
    """One connection."""

    def __init__(self, line: socket.socket, sink: Sink) -> None:
        self._line, self._sink = line, sink
        self._heard = bytearray()
        self._said: list[str] = []
        self._to, self._planned = "", ""

    def go(self) -> None:
        self._say("220 witness.example ESMTP")
        while True:
            command = self._until(b"\n").decode("ascii", "replace").strip()
            verb = command[:4].upper()
            if verb == "DATA" and self._to:
                self._say("354 go on")
                self._text()
            elif verb == "RCPT":
                self._recipient(command)
            elif verb in {"EHLO", "HELO"}:
                offered = "250-PIPELINING\r\n" if self._sink.manner.pipelining else ""
                self._say(f"250-witness.example\r\n{offered}250-8BITMIME\r\n250 SIZE 0")
            elif verb == "QUIT":
                self._say("221 goodbye")
                self._flush()
                self._line.close()
                return
            else:
                self._say("503 nobody to write to" if verb == "DATA" else "250 OK")

    def _recipient(self, command: str) -> None:
        self._planned = self._sink.draw()
        if self._planned == "rcpt_451":
            self._say("451 4.7.1 come back later")
            return
        if self._planned == "rcpt_cut":
            self._cut()
        self._to = command.partition("<")[2].partition(">")[0]
        self._say("250 OK")

    def _text(self) -> None:
        if self._planned == "text_cut":
            self._flush()
            self._until(b"\n")
            self._cut()
        data = self._until(END)
        to, self._to = self._to, ""
        if self._planned == "dot_451":
            self._say("451 4.3.0 come back later")
            return
        self._sink.take(to, data)
        if self._planned == "accept_cut":
            self._cut()
        if self._sink.manner.liar:
            self._heard.clear()
        self._say("250 2.0.0 taken")

    def _until(self, end: bytes) -> bytes:
        """What comes up to ``end``, with it; what was said so far goes out before there is more to wait for."""
        while (found := self._heard.find(end)) < 0:
            self._flush()
            more = self._line.recv(65536)
            if not more:
                raise ConnectionResetError
            self._heard += more
        data = bytes(self._heard[: found + len(end)])
        del self._heard[: found + len(end)]
        return data

    def _say(self, reply: str) -> None:
        self._said.append(reply + "\r\n")

    def _flush(self) -> None:
        if self._said:
            self._line.sendall("".join(self._said).encode())
            self._said.clear()

    def _cut(self) -> None:
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._line.close()
        raise ConnectionResetError
