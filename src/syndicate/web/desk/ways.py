"""Ways into the desk: which address leads to which function, and who may go there. Answers nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from starlette.responses import Response

    from syndicate.web.desk.visit import Visit

ROOT: Final = "/desk"
EVERYBODY: Final[tuple[str, ...]] = ()  # whoever is signed in: looking, and stopping (Q15 needs one person)
EDITORS: Final = ("editor", "admin")  # what goes out: release, settle, try again, explain
VERIFIERS: Final = ("verifier",)
APPROVERS: Final = ("approver",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """One address and method."""

    path: str  # below /desk, as Starlette writes them: "/editions/{number:int}"
    endpoint: Callable[[Visit], Response]  # runs in a worker thread
    method: Literal["GET", "POST"]
    roles: tuple[str, ...]  # one of them is needed; (): whoever is signed in
    open: bool = False  # for whoever is not signed in, too
    by_itself: bool = False  # a script asks for it: an open page alone keeps no session alive


def view(path: str, endpoint: Callable[[Visit], Response], *, roles: tuple[str, ...] = EVERYBODY) -> Way:
    """Something to look at: a GET, which changes nothing."""
    return Way(path=path, endpoint=endpoint, method="GET", roles=roles)


def act(path: str, endpoint: Callable[[Visit], Response], *, roles: tuple[str, ...] = EDITORS) -> Way:
    """Something to do: a POST with its token, which ends in a redirect or a sentence."""
    return Way(path=path, endpoint=endpoint, method="POST", roles=roles)


def may(roles: Collection[str], wanted: Collection[str]) -> bool:
    """Whether somebody with ``roles`` may do what each of ``wanted`` may."""
    return not wanted or bool(set(roles) & set(wanted))
