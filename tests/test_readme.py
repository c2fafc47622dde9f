from __future__ import annotations

import re
import subprocess
import sys

from typer.main import get_command

from node.cli.main import app
from tests.sources import ROOT

README = (ROOT / "README.md").read_text("utf-8")
TIMEOUT = 120
"""Seconds after which a hanging snippet fails the test."""


def test_the_snippets_run(tmp_path, wallet, user_wallet) -> None:
    """What the README shows runs as it stands, in reading order, beside the wallets it loads."""
    wallet.save(tmp_path / "wallet.json")
    user_wallet.save(tmp_path / "user.json")
    for number, program in enumerate(programs()):
        file = tmp_path / f"readme{number}.py"
        file.write_text(program, "utf-8")
        finished = subprocess.run(
            [sys.executable, "-W", "error", file.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr


def programs() -> list[str]:
    """The snippets that go on with each other as one program, and those that are one themselves."""
    snippets = fenced("python")
    whole = [snippet for snippet in snippets if "__main__" in snippet]
    parts = [snippet for snippet in snippets if snippet not in whole]
    assert parts, "the README shows no Python"
    return ["\n".join(parts), *whole]


def test_the_make_targets_exist() -> None:
    """Every `make` command in the README is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(" ".join(re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE)).split())
    asked = words_after("make")
    assert {"demo", "test"} <= asked <= targets


def test_the_commands_exist() -> None:
    """Every `ao-scheduler` command in the README is one that the program has."""
    assert words_after("ao-scheduler") <= set(get_command(app).commands)


def test_the_benchmarks_exist() -> None:
    """Every `python -m bench` command in the README has its module."""
    for name in words_after("python -m bench"):
        assert (ROOT / "bench" / f"{name}.py").exists(), name


def fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def words_after(command: str) -> set[str]:
    # Only in code: a line of a shell block, or between backticks.
    code = [*fenced("sh"), *re.findall(r"`([^`\n]+)`", README)]
    return set(re.findall(rf"(?:^|\s){command} ([a-z][a-z-]*)", "\n".join(code), re.MULTILINE))
