from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from node.cli.main import app as the_app
from node.cli.main import shared
from node.cli.options import LogLevel, Options, options
from node.cli.program import Program, dashed_ids_last, shared_first
from protocol.errors import Overloaded


@pytest.fixture
def app() -> typer.Typer:
    """A program with the shared options and with commands that fail in every way."""
    made = typer.Typer(cls=Program, rich_markup_mode=None, pretty_exceptions_enable=False)
    made.callback()(shared)

    @made.command()
    def tell(context: typer.Context, word: Annotated[str, typer.Argument()] = "") -> None:
        typer.echo(f"{options(context)} {word}")

    @made.command()
    def refuse() -> None:
        raise Overloaded("too much\nis queued")

    @made.command()
    def read() -> None:
        Path("no-such-file").read_bytes()

    @made.command()
    def stumble() -> None:
        raise KeyError("slot")

    return made


def test_shared_options_stand_before_or_after_the_command(app: typer.Typer) -> None:
    """--data, --wallet and --log-level mean the same wherever they stand."""
    expected = f"{Options(Path('d'), Path('w'), LogLevel.INFO)} hello\n"
    given = ["--data", "d", "--wallet=w", "--log-level", "info"]
    assert CliRunner().invoke(app, [*given, "tell", "hello"]).stdout == expected
    assert CliRunner().invoke(app, ["tell", *given, "hello"]).stdout == expected
    assert CliRunner().invoke(app, ["tell", "hello", *given]).stdout == expected


def test_shared_options_come_from_the_environment(app: typer.Typer) -> None:
    """AO_SCHEDULER_DATA and its like are used where the command line says nothing."""
    environment = {"AO_SCHEDULER_DATA": "d", "AO_SCHEDULER_WALLET": "w"}
    told = CliRunner().invoke(app, ["tell", "--wallet", "mine"], env=environment)
    assert told.stdout == f"{Options(Path('d'), Path('mine'))} \n"


def test_what_follows_two_dashes_is_no_option() -> None:
    """A lone -- ends the options, as everywhere."""
    assert shared_first(["tell", "--", "--data", "x"]) == ["tell", "--", "--data", "x"]


def test_an_id_that_begins_with_a_dash_is_no_option(app: typer.Typer) -> None:
    """IDs are base64url: one in 64 looks like an option, and is an argument all the same."""
    dashed = "-" + "A" * 42
    assert CliRunner().invoke(app, ["tell", dashed, "--data", "d"]).stdout.endswith(f" {dashed}\n")
    assert dashed_ids_last(["tell", dashed, "--json"]) == ["tell", "--json", "--", dashed]
    assert dashed_ids_last(["tell", "--", dashed]) == ["tell", "--", dashed]
    told = CliRunner().invoke(app, ["tell", dashed + "A"])
    assert told.exit_code == 2


def test_a_shared_option_without_its_value_is_a_usage_error(app: typer.Typer) -> None:
    """A trailing --data is reported, not swallowed."""
    told = CliRunner().invoke(app, ["tell", "--data"])
    assert told.exit_code == 2
    assert "--data requires a value" in told.stderr


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("refuse", "error: too much is queued\n"),
        ("read", "error: no-such-file: No such file or directory\n"),
    ],
)
def test_an_error_is_one_line(app: typer.Typer, command: str, line: str) -> None:
    """What stops a command is one line on standard error and a non-zero exit code."""
    failed = CliRunner().invoke(app, [command])
    assert (failed.exit_code, failed.stdout, failed.stderr) == (1, "", line)


def test_a_bug_is_one_line_too(app: typer.Typer) -> None:
    """An unexpected error shows no traceback unless events are asked for."""
    failed = CliRunner().invoke(app, ["stumble"])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("error: unexpected KeyError('slot'); this is a bug")
    assert failed.stderr.count("\n") == 1
    asked = CliRunner().invoke(app, ["stumble", "--log-level", "error"])
    assert "Traceback" in asked.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such"],
        ["send"],
        ["verify", "--jsn"],
        ["--log-level", "loud", "status"],
        ["status", "-x"],
    ],
)
def test_a_misuse_is_one_line(arguments) -> None:
    """What cannot be understood is one line on standard error, and exit code 2."""
    failed = CliRunner().invoke(the_app, arguments)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.startswith("error: ")
    assert failed.stderr.count("\n") == 1


def test_without_a_command_there_is_help() -> None:
    """The program and a group of commands, asked nothing, show what they can do."""
    for arguments in ([], ["wallet"]):
        shown = CliRunner().invoke(the_app, arguments)
        assert shown.exit_code == 2
        assert "Usage:" in shown.output
        assert "Commands:" in shown.output


def test_every_command_has_help() -> None:
    """--help works for the program and each of its commands, and says what it is for."""
    commands = typer.main.get_command(the_app).commands
    for name, command in commands.items():
        shown = CliRunner().invoke(the_app, [name, "--help"])
        assert shown.exit_code == 0
        assert command.help
        assert command.help.splitlines()[0] in shown.stdout
