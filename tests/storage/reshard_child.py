"""A program whose children are killed while they reshard, at points that were chosen beforehand.

Called with a number of shards and, for each child, a store and a point: the name of a step, or
the number of the request to the system before which the child kills itself. "0" is never.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from storage.environment import Environment
from storage.reshard import Step, messages, records, reshard
from tests.storage.resharding import LARGE

REQUESTS = ("fsync", "mkdir", "rename", "replace", "link", "unlink", "rmdir", "posix_fallocate")
"""What resharding asks of the system, as functions of `os`; and it commits to databases."""

SMALL_BATCH = 10_000
"""Bytes of a batch, so that copying takes several commits."""


def kill() -> None:
    """End this program as nothing can be ended more suddenly."""
    os.kill(os.getpid(), signal.SIGKILL)


class Requests:
    """Counts requests, and ends the program before one of them.

    Attributes:
        made: how many there were.
    """

    def __init__(self, last: int) -> None:
        self._numbers = count(1)
        self._last = last
        self.made = 0

    def watch(self) -> None:
        """Be asked before each request."""
        for name in REQUESTS:
            setattr(os, name, self._counted(getattr(os, name)))
        begin = Environment.begin_write

        def begin_write(environment: Environment) -> Any:
            return Commit(begin(environment), self.request)

        Environment.begin_write = begin_write  # type: ignore[method-assign, assignment]

    def request(self) -> None:
        """Count one, which is not made if it was to be the last."""
        self.made = next(self._numbers)
        if self.made == self._last:
            kill()

    def _counted(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def request(*args: Any, **kwargs: Any) -> Any:
            self.request()
            return do(*args, **kwargs)

        return request


class Commit:
    """A write transaction whose commit is a request."""

    def __init__(self, transaction: Any, request: Callable[[], None]) -> None:
        self._transaction = transaction
        self._request = request

    def __enter__(self) -> Any:
        return self._transaction.__enter__()

    def __exit__(self, *error: object) -> None:
        self._request()
        self._transaction.__exit__(*error)


def attempt(root: str, shards: int, point: str) -> int:
    """Reshard up to a point; return how many requests that took."""
    requests = Requests(int(point) if point.isdecimal() else 0)
    requests.watch()

    def announce(step: Step, *_: int) -> None:
        if step.value == point:
            kill()

    reshard(root, shards, workers=0, settings=LARGE, announce=announce)
    return requests.made


def main(shards: int, *stores_and_points: str) -> None:
    """Let a child of its own come to each point, one after the other; print how each ended."""
    records.BATCH_BYTES = messages.BATCH_BYTES = SMALL_BATCH
    for root, point in zip(stores_and_points[::2], stores_and_points[1::2], strict=True):
        child = os.fork()
        if child == 0:
            made = attempt(root, shards, point)
            sys.stdout.write(f"{made} requests\n")
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            sys.stdout.write(f"{signal.Signals(os.WTERMSIG(status)).name}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
