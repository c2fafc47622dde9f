"""The options that every command shares."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import typer

from actors.events import log

DATA = Path("data")
WALLET = Path("wallet.json")


class LogLevel(StrEnum):
    """Which events are written to standard error, one JSON object a line."""

    QUIET = "quiet"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line or in the environment.

    Attributes:
        data: folder of the store.
        wallet: JWK file of the scheduler's wallet.
        log_level: lowest level of events that is written.
    """

    data: Path = DATA
    wallet: Path = WALLET
    log_level: LogLevel = LogLevel.QUIET

    def apply(self) -> None:
        """Write events from the chosen level on, in this operating-system process."""
        log.configure(self.log_level.value)


def options(context: typer.Context) -> Options:
    """Return the options that the command in `context` runs under."""
    return context.ensure_object(Options)
