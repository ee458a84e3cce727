"""What no table can tell alone: references between tables, and which addresses the channels allow.

Reads raw values and passes over what is not of its type: that is another fault, told elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from syndicate.config.faults import Scribe
from syndicate.config.outlets import STAND_IN, Outlet
from syndicate.errors import Fault

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_LOCAL: Final = "http://127.0.0.1"  # the default, and the only http address that its own field lets pass


def _tables(data: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    found = data.get(section)
    if isinstance(found, dict):
        yield from ((name, table) for name, table in found.items() if isinstance(table, dict))


def faults(data: Mapping[str, Any], outlets: Mapping[str, Outlet], scribe: Scribe) -> Iterator[Fault]:
    """Every mistake between tables."""
    yield from _newsletters(data, outlets, scribe)
    yield from _feeds(data, scribe)
    yield from _sources(data, scribe)
    yield from _public_url(data, outlets, scribe)
    yield from _desk(data, scribe)


def _newsletters(data: Mapping[str, Any], outlets: Mapping[str, Outlet], scribe: Scribe) -> Iterator[Fault]:
    carriers = sorted(name for name, outlet in outlets.items() if outlet.carries == "message")
    unclear = {name for name, outlet in outlets.items() if not outlet.carries}
    for name, table in _tables(data, "newsletters"):
        channel = table.get("channel", "mail")
        if not isinstance(channel, str) or channel in carriers or channel in unclear:
            continue
        path = ("newsletters", name, "channel")
        right = (
            f"name a channel that carries mail: {', '.join(carriers)}"
            if carriers
            else 'add one, such as [channels.mail] with kind = "smtp"'
        )
        if channel in outlets:
            yield scribe.fault(path, f"[channels.{channel}] carries no mail, and [newsletters.{name}] needs it to", right)
        else:
            close = get_close_matches(channel, carriers, n=1)
            right = f"did you mean `{close[0]}`?" if close else right
            yield scribe.fault(path, f"[newsletters.{name}] names a channel `{channel}` that is not there", right)


def _feeds(data: Mapping[str, Any], scribe: Scribe) -> Iterator[Fault]:
    for name, table in _tables(data, "feeds"):
        for key in ("topic", "author", "series"):
            if table.get("items") == "quotes" and table.get(key):
                yield scribe.fault(
                    ("feeds", name, key),
                    f"`{key}` in [feeds.{name}] parts briefs, and this feed holds quotes",
                    f"take `{key}` out",
                )
    yield from _parts(data, scribe)


def _parts(data: Mapping[str, Any], scribe: Scribe) -> Iterator[Fault]:
    """One feed of briefs may be parted by topic, and so on; two would write the same files."""
    seen: dict[str, str] = {}
    for name, table in _tables(data, "feeds"):
        wanted = table.get("by")
        path = ("feeds", name, "by")
        if wanted and (table.get("items") == "quotes" or any(table.get(key) for key in ("topic", "author", "series"))):
            yield scribe.fault(path, f"`by` parts all briefs, and [feeds.{name}] does not hold all of them", "take `by` out")
        for kind in wanted if isinstance(wanted, list) else ():
            if isinstance(kind, str) and kind in seen:
                what = f"[feeds.{name}] and [feeds.{seen[kind]}] both make a feed by {kind}"
                yield scribe.fault(path, what, "keep one of the two")
            elif isinstance(kind, str):
                seen[kind] = name


def _sources(data: Mapping[str, Any], scribe: Scribe) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name, table in _tables(data, "sources"):
        path = str(table.get("path", "")).strip("/")
        if path and path in seen:
            yield scribe.fault(
                ("sources", name, "path"),
                f"[sources.{name}] reads the same folder as [sources.{seen[path]}]",
                "keep one of the two",
            )
        seen.setdefault(path, name)


def _public_url(data: Mapping[str, Any], outlets: Mapping[str, Outlet], scribe: Scribe) -> Iterator[Fault]:
    web = data.get("web")
    url = web.get("public_url", _LOCAL) if isinstance(web, dict) else _LOCAL
    known = {name: table for name, table in _tables(data, "channels") if name in outlets and not outlets[name].wrong}
    leaving = [name for name, table in known.items() if table.get("kind") != STAND_IN]
    if leaving and isinstance(url, str) and url.startswith(_LOCAL):
        what = f"`public_url` in [web] is not https while [channels.{leaving[0]}] is no outbox"
        yield scribe.fault(
            ("web", "public_url"), what, 'write the https address that readers reach, such as "https://letter.example.org"'
        )
    for name, table in _tables(data, "feeds"):
        hub = table.get("hub")
        if isinstance(hub, str) and hub and isinstance(url, str) and url.startswith(_LOCAL) and not hub.startswith(_LOCAL):
            what = f"the hub of [feeds.{name}] cannot fetch feeds from {url}"
            yield scribe.fault(("feeds", name, "hub"), what, "take `hub` out, or write the https `public_url` that it reaches")


def _desk(data: Mapping[str, Any], scribe: Scribe) -> Iterator[Fault]:
    """Passphrases cross no network in clear text."""
    desk = data.get("desk")
    if not isinstance(desk, dict) or desk.get("enabled") is False:
        return
    host, url = desk.get("host", "127.0.0.1"), desk.get("url", "")
    if isinstance(host, str) and isinstance(url, str) and host not in _LOOPBACK and not url.startswith("https://"):
        what = f'the desk listens on "{host}", beyond this machine, and `url` is not https'
        right = 'listen on "127.0.0.1", or put a proxy with TLS before it and write its address in `url`'
        yield scribe.fault(("desk", "host"), what, right)
