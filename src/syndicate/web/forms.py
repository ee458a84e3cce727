"""Forms as they arrive: either encoding, bounded, never an error; and whose network they come from. Knows no reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.responses import Response

from syndicate.store.signups import network_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from starlette.requests import Request

_FORM_BYTES: Final = 16_384  # far more than a form of ours needs
_FIELDS: Final = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """The fields of a form, each with all its values."""

    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The last value of a field, without blanks around it; ``""`` where there is none."""
        return self.fields.get(name, ("",))[-1].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return self.fields.get(name, ())

    def __contains__(self, name: object) -> bool:
        return name in self.fields


async def read(request: Request) -> Form:
    """The form of a request in either encoding that RFC 8058 §3.1 names; what is too long or broken is empty.

    An empty form still ends a subscription: only the signed link says who leaves.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _FORM_BYTES:
            return Form()
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        return _gathered(_parts(kind, bytes(data)))
    try:
        pairs = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        return Form()
    return _gathered(pairs)


def left(_request: Request, _error: Exception) -> Response:
    """Whoever asked has gone before all of it arrived (``ClientDisconnect``): nothing is done, and nobody reads this."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def network(request: Request, trusted: Iterable[str]) -> str:
    """The network that a request comes from (``network_of``).

    ``X-Forwarded-For`` is believed as far as proxies of ours (``trusted``) wrote it: read from its end, the first
    address that is none of them. What stands before that anybody may have written.
    """
    ours = [ip_network(one) for one in trusted]
    client = request.client.host if request.client else ""
    told = [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")]
    while told and _is_among(client, ours):
        client = told.pop()
    return network_of(client)


def _is_among(client: str, networks: Iterable[object]) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    return any(address in network for network in networks)  # type: ignore[operator]


def _gathered(pairs: Iterable[tuple[str, str]]) -> Form:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return Form(fields=found)


def _parts(kind: str, data: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a multipart form, which is MIME (RFC 7578)."""
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + data)
    if not message.is_multipart():
        return
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            yield name, payload.decode("utf-8", "replace").strip()
