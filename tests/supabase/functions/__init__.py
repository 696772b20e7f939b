"""The Edge Functions, in real Deno, over HTTP."""
