"""Mail by SMTP: blocking connections, pipelined where the relay offers it, one recipient for each message.

``relay`` is the channel, ``sending`` works off a run over one connection, ``line`` speaks and listens on it.
"""

from syndicate.channels.smtp.relay import Smtp
from syndicate.channels.smtp.settings import SmtpSettings

__all__ = ["Smtp", "SmtpSettings"]
