"""`python -m bench.scale_program`: one fresh program of `bench scale`.

It reads a pickled `Order` from standard input, which holds keys, and writes a pickled `Run` to
standard output. Programs that it starts import it again, so it imports no more than it needs.
"""

from __future__ import annotations

import pickle
import sys

from bench.scale_run import run


def main() -> None:
    """Carry out one order."""
    order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the program that started this one
    sys.stdout.buffer.write(pickle.dumps(run(order)))


if __name__ == "__main__":
    main()
