"""The uplink: brings batches from the outbox into Supabase exactly once in effect."""
