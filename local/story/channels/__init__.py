"""The channels that sell beside the web shop, each played by its own simulator."""

from local.story.channels.amazon import CHANNEL as AMAZON
from local.story.channels.bigcommerce import CHANNEL as BIGCOMMERCE
from local.story.channels.channel import Act, Channel
from local.story.channels.marketplace import CHANNEL as MARKETPLACE
from local.story.channels.salesforce_commerce import CHANNEL as SALESFORCE_COMMERCE
from local.story.channels.square import CHANNEL as SQUARE

__all__ = ["CHANNELS", "Act", "Channel"]
CHANNELS: tuple[Channel, ...] = (BIGCOMMERCE, SALESFORCE_COMMERCE, SQUARE, AMAZON, MARKETPLACE)
