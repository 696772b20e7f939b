"""Laws of what travels, searched by Hypothesis; and the long runs of both interpreters."""
