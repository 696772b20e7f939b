"""Which cloud a command speaks to: named, in the environment, or the one that runs on this machine."""

import argparse
import json
import os

from hub.errors import ConfigError, Problem
from tools.local_cloud.admin_io import CloudAdmin
from tools.local_cloud.node_io import CACHE

RUNNING = CACHE / "local_cloud" / "running.json"


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name a cloud."""
    parser.add_argument("--url", help="the cloud (default: SUPABASE_URL, else the running local cloud)")
    parser.add_argument(
        "--secret-key", help="sb_secret_… (default: SUPABASE_SECRET_KEY, else the local one's)"
    )


def admin_of(arguments: argparse.Namespace) -> CloudAdmin:
    """Return the operator's side of the cloud that is meant. Raises ConfigError when none can be told."""
    url = arguments.url or os.environ.get("SUPABASE_URL")
    secret_key = arguments.secret_key or os.environ.get("SUPABASE_SECRET_KEY")
    if (not url or not secret_key) and RUNNING.exists():
        running = json.loads(RUNNING.read_text(encoding="utf-8"))
        if url in {None, running["url"]}:
            return CloudAdmin(running["url"], secret_key or running["secret_key"])
    if not url or not secret_key:
        hint = "give both, set SUPABASE_URL and SUPABASE_SECRET_KEY, or run: penstock cloud local"
        reason = f"the secret key of {url} is missing" if url else "no cloud is named and none runs here"
        raise ConfigError([Problem("cloud", "--url, --secret-key", reason, hint)])
    return CloudAdmin(url, secret_key)
