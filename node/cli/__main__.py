"""`python -m node.cli`, the same as the console script."""

from __future__ import annotations

from node.cli import run

run()
