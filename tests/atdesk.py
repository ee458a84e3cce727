"""People at the desk: a publication with the desk served, and its editors as clients."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import argon2
import httpx
import pytest

from served import NOW
from syndicate.app import App
from syndicate.store import people
from syndicate.web.desk.ways import ROOT
from syndicate.web.server import Serving, serve_desk

PASSPHRASES = {"Mara": "mara-mends-the-weir", "Ivo": "ivo-counts-the-herons", "Tess": "tess-turns-the-tide"}
ROLES = {"Mara": ("editor", "admin"), "Ivo": ("verifier",), "Tess": ("approver",)}


@pytest.fixture(autouse=True, scope="module")
def light_hashes() -> Iterator[None]:
    """Passphrases hashed with little work: what argon2 costs is not what is tested here. Import it where it is wanted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "_hasher", lambda: argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


def hire(app: App, *names: str) -> None:
    for name in names:
        app.people.add(name, ROLES[name], PASSPHRASES[name], who="test", now=app.now())


@contextmanager
def desk(app: App) -> Iterator[Serving]:
    """The desk of an open publication on a free port."""
    serving = serve_desk(app, "127.0.0.1", 0)
    try:
        yield serving
    finally:
        serving.stop()


class Client(httpx.Client):
    """A browser without scripts: it keeps cookies, says where its forms come from, and follows redirects."""

    def __init__(self, serving: Serving) -> None:
        super().__init__(
            base_url=serving.url,
            headers={"Origin": serving.url},
            follow_redirects=True,
            timeout=30,
            limits=httpx.Limits(max_keepalive_connections=0),  # nothing is left open when a test ends
        )

    def look(self, path: str = "") -> str:
        """A page that is there, in words and tags, and whole: where it says so it is loaded again."""
        for _ in range(500):
            answer = self.get(f"{ROOT}{path}")
            if "again in a moment" not in answer.text:
                break
        assert answer.status_code == 200, (path, answer.status_code, answer.text[-400:])
        return answer.text

    def act(self, path: str, data: Mapping[str, str] | None = None, *, status: int = 200) -> str:
        """Post a form with the token that the pages carry; the text of the page where it leads."""
        token = re.search(r'name="csrf" value="(\w+)"', self.get(f"{ROOT}").text)
        answer = self.post(f"{ROOT}{path}", data={**(data or {}), "csrf": token[1] if token else ""})
        assert answer.status_code == status, (path, answer.status_code, answer.text[-400:])
        return answer.text


def signed_in(serving: Serving, name: str) -> Client:
    """A client of somebody who was hired."""
    client = Client(serving)
    answer = client.post(f"{ROOT}/sign-in", data={"name": name, "passphrase": PASSPHRASES[name]})
    assert answer.url.path == ROOT, answer.text[-400:]
    return client


__all__ = ["NOW", "PASSPHRASES", "Client", "desk", "hire", "light_hashes", "signed_in"]
