"""For tests and rehearsals: strict fake networks on loopback, a channel in memory, and makers of sample items.

Part of the product, so that whoever writes a channel can prove it; nothing that publishes imports it.
"""

from __future__ import annotations

from syndicate.testing.bluesky import FakeBluesky as FakeBluesky
from syndicate.testing.mastodon import FakeMastodon as FakeMastodon
from syndicate.testing.memory import MemoryChannel as MemoryChannel
from syndicate.testing.network import Answer as Answer
from syndicate.testing.network import Asked as Asked
from syndicate.testing.network import Fault as Fault
from syndicate.testing.network import Network as Network
from syndicate.testing.network import Witnessed as Witnessed
from syndicate.testing.samples import make_brief as make_brief
from syndicate.testing.samples import make_post as make_post
from syndicate.testing.samples import make_quote as make_quote
from syndicate.testing.webhook import FakeWebhook as FakeWebhook
from syndicate.testing.x import FakeX as FakeX
