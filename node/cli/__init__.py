"""The console script `ao-scheduler`."""

from __future__ import annotations

import sys

from node.installation import complaint


def run() -> None:
    """Run the command line, if the packages it is made of are ours."""
    if problem := complaint():
        sys.exit(f"error: {problem}")
    # Only now, because this imports the packages that were just checked.
    from node.cli.main import app

    app()
