"""What the programs of one node have in common while it runs."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from actors.channel.folder import SocketFolder
from actors.observer import Observer
from node.limits.levels import Levels, SharedLevels
from protocol.errors import Unavailable
from protocol.ids import Id
from protocol.wallet import Wallet
from storage.durable_files import PRIVATE_FOLDER


@dataclass(frozen=True, slots=True)
class Commons:
    """A folder of a running node, for its owner only; it may be handed to other programs.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @classmethod
    def create(cls) -> Self:
        """Make a new one, with nothing counted yet.

        Raises:
            Unavailable: there is no room for it.
        """
        try:
            commons = cls(Path(tempfile.mkdtemp(prefix="ao-scheduler-")))
            commons.numbers.mkdir(PRIVATE_FOLDER)
            SharedLevels.create(commons._addresses)
            SharedLevels.create(commons._signers)
        except OSError as exc:
            raise Unavailable(f"cannot make a temporary folder: {exc.strerror}") from exc
        return commons

    @property
    def numbers(self) -> Path:
        """Where each program counts what it does."""
        return self.folder / "numbers"

    @property
    def addresses(self) -> Levels:
        """How much of its rate each address has left."""
        return SharedLevels(self._addresses)

    @property
    def signers(self) -> Levels:
        """How much of its rate each signer has left."""
        return SharedLevels(self._signers)

    @property
    def cache(self) -> Path:
        """Where gateways keep what other nodes said if they may not write beside the store."""
        return self.folder / "peers"

    def observer(self, program: str) -> Observer:
        """Return an observer for a spawned program that counts under a name of its own."""
        return _Elsewhere(self.numbers, program)

    def remove(self) -> None:
        """Remove it with all that is in it. Idempotent; only for who made it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _addresses(self) -> Path:
        return self.folder / "addresses"

    @property
    def _signers(self) -> Path:
        return self.folder / "signers"


class _Elsewhere(Observer):
    # Becomes an observer that counts where it is sent, and counts nothing here.

    def __init__(self, folder: Path, program: str) -> None:
        self._made_from = (folder, program)

    def __reduce__(self) -> tuple[Any, ...]:
        return _counting, self._made_from


def _counting(folder: Path, program: str) -> Observer:
    # Only there: whoever names this function counts nothing.
    from node.metrics.programs import counting

    return counting(folder, program)


@dataclass(frozen=True, slots=True)
class Membership:
    """What makes a program one of the gateways of a node. It travels pickled, and is secret.

    Attributes:
        name: what it counts under.
        operator: the wallet that signs replies and location records. Those that sign
            assignments are the shards' alone, unless they are this one.
        addresses: of all wallets of the node.
        cache: what other nodes said, held by the node's first program.
        sockets: where the shards listen; None when the node only reads.
        commons: what it shares with the others.
    """

    name: str
    operator: Wallet
    addresses: tuple[Id, ...]
    cache: Path
    sockets: SocketFolder | None
    commons: Commons
