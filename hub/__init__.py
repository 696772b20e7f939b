"""The Penstock hub: one asyncio service per site, from sensors to the cloud through a durable outbox."""
