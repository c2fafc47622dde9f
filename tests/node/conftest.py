"""A command line over a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli.main import app
from protocol.wallet import Wallet
from storage import open_writer
from tests.storage.signed import SignedSchedule


class Shell:
    """Run commands in this program, on one store and with one wallet.

    Attributes:
        data: the store's folder.
        environment: what tells the commands of store and wallet.
        user, wallet: who sends, and who schedules.
    """

    def __init__(self, folder: Path, user: Wallet, wallet: Wallet) -> None:
        self.data = folder / "data"
        self.environment = {
            "AO_SCHEDULER_DATA": str(self.data),
            "AO_SCHEDULER_WALLET": str(folder / "wallet.json"),
        }
        self.user = user
        self.wallet = wallet
        self._folder = folder
        wallet.save(folder / "wallet.json")

    def run(self, *arguments: object) -> Result:
        """Run a command to its end."""
        return CliRunner().invoke(app, [*map(str, arguments)], env=self.environment)

    def works(self, *arguments: object) -> str:
        """Run a command that must succeed, and return what it prints."""
        done = self.run(*arguments)
        assert (done.exit_code, done.stderr) == (0, "")
        return done.stdout

    def fails(self, *arguments: object) -> str:
        """Run a command that must fail in good order, and return its one line without "error: "."""
        done = self.run(*arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        return done.stderr.removeprefix("error: ").rstrip("\n")

    def file(self, encoded: bytes, name: str = "item") -> Path:
        """Write a file to be sent."""
        file = self._folder / name
        file.write_bytes(encoded)
        return file

    def schedule(self, slots: int = 3) -> SignedSchedule:
        """Store a process with some slots, all of them published."""
        schedule = SignedSchedule(self.user, self.wallet)
        with open_writer(self.data) as journal:
            journal.append(schedule.published(slots))
        return schedule


@pytest.fixture
def shell(tmp_path: Path, user_wallet: Wallet, wallet: Wallet) -> Shell:
    """A command line, its wallet, and no store yet."""
    return Shell(tmp_path, user_wallet, wallet)
