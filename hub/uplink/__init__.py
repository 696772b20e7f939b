"""Brings batches from the outbox into Supabase REST, each row exactly once in effect."""
