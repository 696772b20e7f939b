"""A fleet of simulated hubs: real uplinks, each over an outbox that makes up its rows when they are sent."""
