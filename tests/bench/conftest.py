"""Commands of the benchmark, run in this program."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.__main__ import app
from protocol.wallet import Wallet

Report = Callable[..., tuple[Any, str]]


@pytest.fixture
def ready_keys(monkeypatch: pytest.MonkeyPatch, wallet: Wallet, user_wallet: Wallet) -> None:
    """Have every command use the same two keys: a new one takes a second or more."""
    keys = cycle([wallet, user_wallet])
    monkeypatch.setattr(Wallet, "generate", lambda: next(keys))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Run a command and return its JSON and what it printed."""

    def run(*arguments: str) -> tuple[Any, str]:
        file = tmp_path / "report.json"
        options = ["--data", str(tmp_path / "data"), "--json", str(file)]
        result = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(file.read_text("utf-8")), result.output

    return run
