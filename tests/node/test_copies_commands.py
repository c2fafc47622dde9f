from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.items import message_item
from tests.node.conftest import Shell
from tests.node.running import holder, on_terminal


@pytest.fixture
def copy(shell: Shell) -> Path:
    """A store that was copied by hand, its original gone."""
    shell.schedule(slots=2)
    copy = shell.data.with_name("copy")
    shutil.copytree(shell.data, copy)
    shutil.rmtree(shell.data)
    return copy


def test_a_backup_verifies_and_waits_for_adoption(shell: Shell, tmp_path: Path) -> None:
    """A backup holds everything, reads at once, and schedules only once it is adopted."""
    process = shell.schedule(slots=2).process
    backup = tmp_path / "backup"
    assert shell.works("backup", backup) == f"copied to {backup}; it is read-only until adopted\n"
    assert json.loads(shell.works("verify", "--json", "--data", backup))["assignments"] == 2
    message = shell.file(message_item(shell.user, process))
    assert "read-only until adopted" in shell.fails("send", message, "--data", backup)
    shell.works("adopt", "--data", backup)
    shell.works("send", message, "--data", backup)
    assert shell.works("slot", process, "--data", backup) == "2\n"
    assert shell.works("slot", process) == "1\n"


def test_a_backup_replaces_nothing(shell: Shell, tmp_path: Path) -> None:
    """A destination that exists is refused, and stays as it is."""
    shell.schedule()
    assert shell.fails("backup", tmp_path) == f"{tmp_path} exists already"
    assert shell.fails("backup", shell.data) == f"{shell.data} exists already"


def test_a_backup_needs_a_store(shell: Shell, tmp_path: Path) -> None:
    """Where there is no store there is no backup of one."""
    assert shell.fails("backup", tmp_path / "backup") == f"{shell.data} is not a store"
    assert not (tmp_path / "backup").exists()


def test_adopting_a_copied_folder_lets_it_schedule(shell: Shell, copy: Path) -> None:
    """A copied store is read-only until `adopt`; after that nothing is left to adopt."""
    assert shell.works("adopt", "--data", copy) == (
        f"adopted {copy}: this machine writes to it from now on\n"
    )
    assert shell.works("adopt", "--yes", "--data", copy) == (
        f"nothing to adopt: this machine may write to {copy}\n"
    )


@pytest.mark.parametrize(("typed", "code"), [("n\n", 1), ("y\n", 0)])
def test_a_terminal_is_asked(shell: Shell, copy: Path, typed: str, code: int) -> None:
    """On a terminal the risk is told first, and only a yes adopts."""
    ended, seen = on_terminal(shell.environment, "adopt", "--data", copy, typed=typed)
    assert ended == code
    assert "the same slots to different messages" in seen
    obstacle = json.loads(shell.works("status", "--json", "--data", copy))["obstacle"]
    assert (obstacle is None) is (code == 0)


def test_with_yes_nobody_is_asked(shell: Shell, copy: Path) -> None:
    """--yes is for scripts that run on a terminal."""
    code, seen = on_terminal(shell.environment, "adopt", "--yes", "--data", copy)
    assert code == 0
    assert "Adopt it?" not in seen


def test_a_store_in_use_is_not_adopted(shell: Shell) -> None:
    """While a program writes, `adopt` tells its PID."""
    shell.schedule()
    with holder(shell.environment) as program:
        assert program.line() == "open"
        assert shell.fails("adopt") == f"{shell.data} is in use by PID {program.pid}"
