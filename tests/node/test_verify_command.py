from __future__ import annotations

import json

from node.cli.verification import counted
from storage.tables import slot_key
from tests.node.conftest import Shell
from tests.node.running import command, on_terminal
from tests.storage.tamper import flip


def test_a_sound_store_passes(shell: Shell) -> None:
    """Exit code 0 and one line that counts what was checked; nothing else when it is piped."""
    shell.schedule(slots=3)
    done = command(shell.environment, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    counted = "1 process, 3 assignments, 6 signatures, 3 receipts in "
    assert done.stdout.startswith(f"all is well: {counted}")
    assert done.stdout.count("\n") == 1


def test_the_report_is_one_json_object(shell: Shell) -> None:
    """--json prints the report that `Scheduler.verify` returns."""
    shell.schedule(slots=2)
    report = json.loads(shell.works("verify", "--json"))
    assert report.pop("seconds") > 0
    assert report == {
        "ok": True,
        "processes": 1,
        "assignments": 2,
        "messages": 2,
        "signatures": 4,
        "receipts": 2,
        "problem_count": 0,
        "problems": [],
    }


def test_one_process_is_checked_alone(shell: Shell) -> None:
    """With PROCESS the others are left out, sound or not."""
    sound, damaged = (shell.schedule(slots=2).process for _ in range(2))
    flip(shell.data, "commitments", slot_key(damaged, 1))
    assert json.loads(shell.works("verify", sound, "--json"))["assignments"] == 2
    assert shell.run("verify", damaged).exit_code == 1


def test_damage_is_told_with_its_place(shell: Shell) -> None:
    """Exit code 1, a line per problem with process and slot, and the verdict."""
    process = shell.schedule(slots=2).process
    flip(shell.data, "commitments", slot_key(process, 1))
    done = shell.run("verify")
    assert (done.exit_code, done.stderr) == (1, "")
    *problems, verdict = done.stdout.splitlines()
    assert problems[0].startswith(f"process {process} slot 1: record: ")
    assert verdict.startswith(f"{counted(len(problems), 'problems')}: 1 process, ")
    found = json.loads(shell.run("verify", "--json").stdout)
    assert (found["ok"], found["problem_count"]) == (False, len(problems))
    assert (found["problems"][0]["process"], found["problems"][0]["slot"]) == (str(process), 1)


def test_a_terminal_gets_a_bar(shell: Shell) -> None:
    """On a terminal the progress is drawn, and gone before the verdict."""
    shell.schedule(slots=2)
    code, seen = on_terminal(shell.environment, "verify")
    assert code == 0
    assert "2/2" in seen
    assert seen.rpartition("\x1b[2K")[2].startswith("all is well")
