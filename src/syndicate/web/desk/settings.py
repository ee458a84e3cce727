"""Settings: what is configured, to look at only, and what each channel's doctor says. Of secrets, only whether they are set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr

from syndicate.channels import kinds
from syndicate.config.tables import is_secret
from syndicate.errors import SyndicateError
from syndicate.store import audit
from syndicate.web.desk.sheets import span
from syndicate.web.desk.ways import EDITORS, EVERYBODY, act, view

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from starlette.responses import Response

    from syndicate.model import Finding
    from syndicate.web.desk.visit import Visit

_ACTS: Final = 30  # of the audit log
_STANDS: Final = timedelta(days=365)  # a doctor is asked by a person alone, not by a page that finds an answer old


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One table of the settings file."""

    heading: str  # "channels.mail"
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """One channel."""

    name: str
    kind: str
    carries: str
    local: bool
    findings: tuple[Finding, ...]
    at: object  # when its doctor was asked; None: never since the start


def settings(visit: Visit) -> Response:
    """The page."""
    with visit.app.store.read() as connection:
        acts = audit.lines(connection, limit=_ACTS)
    patients = []
    for name, channel in visit.app.channels.items():
        known = visit.desk.counting.seen(_doctor(name))
        patients.append(
            Patient(
                name=name,
                kind=channel.kind,
                carries="posts" if channel.carries == "post" else "mail",
                local=channel.local,
                findings=tuple(known.value or ()),
                at=known.at,
            )
        )
    return visit.sheet(
        "settings",
        here="/settings",
        tables=list(_tables(visit)),
        patients=patients,
        people=visit.app.people.everybody(),
        acts=acts,
        asked=visit.asked("asked"),
    )


def ask(visit: Visit) -> Response:
    """Ask a channel's doctor. It looks at credentials, limits and clocks over the network, and sends nothing."""
    name = visit.said("channel")
    channel = visit.app.channels.get(name)
    if channel is None:
        msg = f"no channel is called {name!r}"
        raise SyndicateError(msg)
    visit.desk.counting.forget(_doctor(name))
    visit.desk.counting.get(_doctor(name), channel.doctor, visit.now, fresh=_STANDS)
    return visit.go("/settings", asked=name)


def keys(visit: Visit) -> Response:
    """What the keyboard does."""
    return visit.sheet("keys")


def _doctor(channel: str) -> str:
    return f"doctor:{channel}"


def _tables(visit: Visit) -> Iterator[Table]:
    whole = visit.app.settings
    for name, field in type(whole).model_fields.items():
        if name == "channels":
            continue
        value = getattr(whole, name)
        if isinstance(value, dict):
            yield from (_table(f"{name}.{key}", one) for key, one in value.items() if isinstance(one, BaseModel))
        elif isinstance(value, BaseModel):
            yield _table(name, value)
        else:
            yield Table(heading=name, rows=((name, _told(name, field, value)),))
    for name, raw in whole.channels.items():
        kind = str(raw.get("kind", ""))
        fields: Mapping[str, FieldInfo] = kinds()[kind].Settings.model_fields if kind in kinds() else {}
        rows = tuple((key, _told(key, fields.get(key), value)) for key, value in raw.items())
        yield Table(heading=f"channels.{name}", rows=rows)


def _table(heading: str, model: BaseModel) -> Table:
    fields = type(model).model_fields
    return Table(
        heading=heading,
        rows=tuple((field.alias or key, _told(key, field, getattr(model, key))) for key, field in fields.items()),
    )


def _told(key: str, field: FieldInfo | None, value: Any) -> str:  # noqa: ANN401 - whatever the settings hold
    """A value as people wrote it; a secret only as set or not."""
    if isinstance(value, SecretStr) or is_secret(key, field):
        bare = value.get_secret_value() if isinstance(value, SecretStr) else value
        return "set, not shown" if bare else "not set"
    if isinstance(value, BaseModel):
        inner = type(value).model_fields.items()
        told = ((name, _told(name, one, getattr(value, name))) for name, one in inner)
        return ", ".join(f"{name}: {text}" for name, text in told if text not in {"", "–"}) or "–"
    if value is None or value in ("", (), []):
        return "–"
    if isinstance(value, timedelta):
        days, rest = divmod(value, timedelta(days=1))
        return " ".join(part for part in (f"{days} d" if days else "", span(rest) if rest or not days else "") if part)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_told(str(name), None, one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_told(key, None, one) for one in value)
    return str(value)


WAYS: Final = (view("/settings", settings), act("/settings/doctor", ask, roles=EDITORS), view("/keys", keys, roles=EVERYBODY))
