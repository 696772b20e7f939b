"""The penstock command, one file per group of subcommands."""
