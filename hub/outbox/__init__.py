"""The outbox: the one durable place between acquisition and uplink."""
