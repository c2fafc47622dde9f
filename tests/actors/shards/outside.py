"""What a shard is handed from outside, done in its own program as a test tells it."""

from __future__ import annotations

import sys
from pathlib import Path

from actors.events import log
from actors.probe import Point
from protocol.wallet import Wallet
from tests.actors.shards.children import pass_bar, say


class Broken(Exception):
    """What a commit is broken with."""


class BreakOnce:
    """A probe that makes one commit fail, once it landed, in one life of the shard."""

    def __init__(self, flag: Path) -> None:
        self._flag = flag

    def __call__(self, point: Point) -> None:
        if point is Point.AFTER_PIN_COMMIT and not self._flag.exists():
            self._flag.touch()
            raise Broken("broken after the commit")


class BarredSigner:
    """Say what the program is like, wait at a bar, and sign with the wallet."""

    def __init__(self, line: Path, bar: Path) -> None:
        self._line = line
        self._bar = bar

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        say(self._line, f"signing {sys.getswitchinterval()} {log.level}")
        pass_bar(self._bar)
        return wallet.sign(data, scheme)
