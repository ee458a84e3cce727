"""A mail server that takes everything, as fast as one process of Python can, and writes each recipient down.

Replies may be held back, as a distant server's are. It says where it listens and ends with its standard input.

    python sink.py LOG [DELAY_MILLISECONDS]
"""

from __future__ import annotations

import asyncio
import os
import sys

END = b"\r\n.\r\n"
HELLO = b"250-sink.bench.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n"
REPLIES = {
    b"EHLO": HELLO,
    b"HELO": b"250 sink.bench.example\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, log: int, delay: float) -> None:
        self._log, self._delay = log, delay
        self._heard = bytearray()
        self._text = False  # inside a message
        self._recipient = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink.bench.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        heard = self._heard
        begin = max(0, len(heard) - len(END))
        heard += data
        said = []
        while True:
            if self._text:
                end = heard.find(END, begin)
                if end < 0:
                    break
                del heard[: end + len(END)]
                self._text, begin = False, 0
                os.write(self._log, self._recipient + b"\n")
                said.append(b"250 2.0.0 Ok\r\n")
                continue
            end = heard.find(b"\n")
            if end < 0:
                break
            line = bytes(heard[:end]).rstrip()
            del heard[: end + 1]
            verb = line[:4].upper()
            if verb == b"RCPT":
                self._recipient = line.partition(b"<")[2].rstrip(b">")
            if verb == b"DATA":
                self._text, begin = True, 0
            said.append(REPLIES.get(verb, b"502 5.5.2 What?\r\n"))
        if said:
            self._say(b"".join(said))

    def _say(self, words: bytes) -> None:
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, words)
        else:
            self._transport.write(words)


async def serve(log: str, delay: float) -> None:
    """Until standard input ends."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Session(file, delay), "127.0.0.1", 0, backlog=100)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
