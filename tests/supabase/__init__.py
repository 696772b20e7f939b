"""The database, on the Postgres version that hosted Supabase runs."""
