"""BigCommerce, a channel: REST v2 and v3, thin webhooks."""
