"""What [channels.NAME] with kind = "smtp" holds. Opens no connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_RATE: Final = re.compile(r"([1-9]\d{0,5})/(s|min|h)")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600}


class SmtpSettings(BaseModel):
    """[channels.NAME] with kind = "smtp"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["smtp"] = "smtp"
    host: str
    port: Annotated[int, Field(ge=0, le=65535)] = 0  # 0: 587 for starttls, 465 for implicit, 25 for none
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")  # from the environment
    connections: Annotated[int, Field(ge=1, le=50)] = 4
    rate: str = "14/s"  # messages over all connections; "" for no limit
    domain_rates: Mapping[str, str] = {}  # recipient domain -> rate, held besides the other
    warm_up: tuple[Annotated[int, Field(ge=1)], ...] = ()  # most messages on the first, second … day of use (UTC)
    timeout: Annotated[float, Field(gt=0, le=3600)] = 600.0  # seconds for the reply to a message (RFC 5321 §4.5.3.2.6)
    pipelining: bool = True  # use RFC 2920 where the relay offers it
    max_per_connection: Annotated[int, Field(ge=1)] = 500
    helo: str = ""  # the name we greet with; "" means this host's, where it has a full one
    dkim_selector: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""  # "" leaves signing to the relay
    dkim_key_file: str = ""  # RSA key in PEM, a path below the publication or a whole one

    @field_validator("rate")
    @classmethod
    def _readable_rate(cls, rate: str) -> str:
        if rate and not _RATE.fullmatch(rate):
            msg = 'a rate is written like "14/s", "600/min" or "20000/h"'
            raise ValueError(msg)
        return rate

    @field_validator("domain_rates")
    @classmethod
    def _readable_domains(cls, rates: Mapping[str, str]) -> Mapping[str, str]:
        for domain, rate in rates.items():
            if not _RATE.fullmatch(rate) or not _DOMAIN.fullmatch(domain):
                msg = 'domain rates are written like { "mail.example" = "5/s" }, the domain in small letters'
                raise ValueError(msg)
        return rates

    @model_validator(mode="after")
    def _safe_transport(self) -> SmtpSettings:
        if self.tls == "none" and self.host not in LOOPBACK:
            msg = 'tls = "none" is for this machine alone (localhost); use "starttls" or "implicit"'
            raise ValueError(msg)
        if bool(self.username) != bool(self.password.get_secret_value()):
            msg = "a username and a password go together; the password comes from the environment"
            raise ValueError(msg)
        if bool(self.dkim_selector) != bool(self.dkim_key_file):
            msg = "dkim_selector and dkim_key_file go together; without both the relay signs"
            raise ValueError(msg)
        return self

    @property
    def per_second(self) -> float:
        """Messages a second, over all connections; 0 for no limit."""
        return _per_second(self.rate)

    @property
    def domains_per_second(self) -> dict[str, float]:
        """Messages a second by recipient domain."""
        return {domain: _per_second(rate) for domain, rate in self.domain_rates.items()}


def _per_second(rate: str) -> float:
    found = _RATE.fullmatch(rate)
    return int(found[1]) / _SECONDS[found[2]] if found else 0.0
