"""What comes back: where bounces and complaints are read, and what follows from them, as the settings tell it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from syndicate.config import values

_LOCAL_OCTETS: Final = 64  # RFC 5321 §4.5.3.1.1
_TOKEN: Final = 33  # a separator and 32 letters (links.sign_return)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._-]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}")
_TOPIC: Final = re.compile(r"arn:aws(?:-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _return_path(text: str) -> str:
    if not text:
        return text
    if not _ADDRESS.fullmatch(text):
        msg = f'"{text}" is not an address that mail can come back to; write such as "bounces@example.org", in small letters'
        raise ValueError(msg)
    if text.index("@") + _TOKEN > _LOCAL_OCTETS:
        msg = f'"{text}" leaves no room for a signed token; keep the part before @ to {_LOCAL_OCTETS - _TOKEN} characters'
        raise ValueError(msg)
    return text


def _topic(text: str) -> str:
    if text and not _TOPIC.fullmatch(text):
        msg = f'"{text}" is not an SNS topic; write such as "arn:aws:sns:eu-west-1:123456789012:returns"'
        raise ValueError(msg)
    return text


ReturnPath = Annotated[str, AfterValidator(_return_path)]
_Percent = Annotated[float, Field(ge=0, le=100)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImapSettings(_Table):
    """[returns.imap]: a mailbox that is looked into. Off without a host."""

    host: str = ""
    port: Annotated[values.Whole, Field(ge=0, le=65535)] = 0  # 0: 993 for implicit, 143 for the others
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    username: str = ""
    password: SecretStr = SecretStr("")  # from the environment
    folder: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = "INBOX"
    move_to: Annotated[str, Field(pattern=r"^[\x20-\x7e]*$")] = ""  # our own bounces go there once they are read; "": they stay

    @model_validator(mode="after")
    def _safe_transport(self) -> ImapSettings:
        if self.host and self.tls == "none" and self.host not in _LOOPBACK:
            msg = 'tls = "none" is for this machine alone (localhost); use "implicit" or "starttls"'
            raise ValueError(msg)
        if self.host and not self.username:
            msg = "a mailbox needs its username; the password comes from the environment"
            raise ValueError(msg)
        return self


class SesSettings(_Table):
    """[returns.ses]: what Amazon SES publishes through SNS. Off without a topic."""

    topic: Annotated[str, AfterValidator(_topic)] = ""  # the ARN of the only topic that is listened to
    certificate_file: str = ""  # the certificate that signs, in PEM; "": fetched from Amazon's own host of the topic's region


class MailgunSettings(_Table):
    """[returns.mailgun]: Mailgun's webhooks. Off without the key."""

    signing_key: SecretStr = SecretStr("")  # "HTTP webhook signing key", from the environment


class PostmarkSettings(_Table):
    """[returns.postmark]: Postmark's webhooks, by basic authentication. Off without a password."""

    username: values.Filled = "postmark"
    password: SecretStr = SecretStr("")  # from the environment


class ReturnsSettings(_Table):
    """[returns]."""

    address: ReturnPath = ""  # "bounces@example.org"; "": bounces go to the sender's own address
    separator: Literal["+", "-"] = "+"  # between that and the token: "-" for qmail and its kin
    maildir: str = ""  # a path below the publication or a whole one
    every: values.Duration = timedelta(minutes=5)  # how often Maildir and IMAP mailbox are looked into
    on_hard: Literal["suppress", "note"] = "suppress"
    on_complaint: Literal["suppress", "note"] = "suppress"
    soft_limit: Annotated[values.Whole, Field(ge=1, le=100)] = 3  # soft bounces of so many messages …
    soft_within: values.Duration = timedelta(days=15)  # … within this time suppress
    complaint_rate: _Percent = 0.3  # percent of an edition's messages at which it stops itself; 0: never
    bounce_rate: _Percent = 5.0  # the same for hard bounces
    brake_from: Annotated[values.Whole, Field(ge=1)] = 3  # fewer reports than this stop nothing
    imap: ImapSettings = Field(default_factory=ImapSettings)
    ses: SesSettings = Field(default_factory=SesSettings)
    mailgun: MailgunSettings = Field(default_factory=MailgunSettings)
    postmark: PostmarkSettings = Field(default_factory=PostmarkSettings)
