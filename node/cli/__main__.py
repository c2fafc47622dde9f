"""`python -m node.cli`, the same as the console script."""

from __future__ import annotations

from node.cli import run

if __name__ == "__main__":  # false in worker processes, which import this module again
    run()
