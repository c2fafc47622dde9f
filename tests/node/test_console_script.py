from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_the_console_script_runs_the_program(tmp_path: Path, wallet) -> None:
    """`ao-scheduler` is installed and prints the wallet's address."""
    wallet.save(tmp_path / "wallet.json")
    script = Path(sys.executable).with_name("ao-scheduler")
    finished = run([script, "wallet", "address"], tmp_path)
    assert (finished.returncode, finished.stdout) == (0, f"{wallet.address}\n")
    assert finished.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["wallet", "address"], 1, "error: cannot read wallet wallet.json"),
        (["inspect", "missing"], 1, "error: missing: No such file or directory"),
        (["inspect", "."], 1, "error: .: Is a directory"),
        (["no-such-command"], 2, "No such command 'no-such-command'"),
        (["inspect"], 2, "Missing argument 'FILE'"),
    ],
)
def test_a_failure_is_no_traceback(
    tmp_path: Path, arguments: list[str], code: int, reason: str
) -> None:
    """A real program that fails says so on standard error, with a code and no traceback."""
    finished = run([sys.executable, "-m", "node.cli", *arguments], tmp_path)
    assert finished.returncode == code
    assert finished.stdout == ""
    assert reason in finished.stderr
    assert "Traceback" not in finished.stderr


def run(command, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
