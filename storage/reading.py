"""A snapshot for the length of a ``with`` block."""

from __future__ import annotations

from types import TracebackType

import lmdb

from protocol.errors import StoreInvalid, Unavailable
from storage.environment import MAX_READERS, Environment
from storage.snapshot import Owners, Snapshot


class Reading:
    """Begin a read transaction on entry, end it on exit; LMDB's errors become ours.

    Raises (on entry):
        Closed: the store is closed, or this is a forked child.
        Fenced: the writer met an unknown outcome.

    A class and not a generator: this is on the hot path.
    """

    __slots__ = ("_environment", "_owners", "_transaction")

    def __init__(self, environment: Environment, owners: Owners) -> None:
        """Take what `Snapshot` needs."""
        self._environment = environment
        self._owners = owners

    def __enter__(self) -> Snapshot:
        environment = self._environment
        environment.gate.__enter__()
        try:
            self._transaction = environment.begin_read()
        except BaseException as exc:
            environment.gate.__exit__()
            if isinstance(exc, lmdb.Error):
                raise _unreadable(exc) from exc
            raise
        return Snapshot(self._transaction, environment.tables, self._owners)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._transaction.abort()
        self._environment.gate.__exit__()
        if isinstance(error, lmdb.Error):
            raise _unreadable(error) from error


def _unreadable(error: lmdb.Error) -> Unavailable:
    if isinstance(error, lmdb.MapResizedError):
        return Unavailable("the store grew beyond this reader's map; open it again")
    if isinstance(error, lmdb.ReadersFullError):
        return Unavailable(f"more than {MAX_READERS} readers at once")
    return StoreInvalid(f"cannot read the store: {error}")
