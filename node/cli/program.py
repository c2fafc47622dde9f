"""How every command is entered and left: shared options anywhere, errors as one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from actors.events import log
from node.cli.screen import plain
from protocol.errors import InvalidId, SchedulerError
from protocol.ids import Id

FAILED = 1
"""Exit code of a command that could not do its work, or found that something is wrong."""

MISUSED = 2
"""Exit code of a command line that cannot be understood."""

UsageError: Any = typer.BadParameter.__base__
"""What every misuse is; typer does not name it."""

SHARED = ("--data", "--wallet", "--log-level")
"""Options with a value that every command takes."""


class Program(TyperGroup):
    """The root of all commands."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line; whatever stops it becomes one line on standard error."""
        try:
            sys.exit(super().main(*args, **{**extra, "standalone_mode": False}))
        except UsageError as exc:
            typer.echo(usage(exc), err=True)
            sys.exit(MISUSED)
        except Exception as exc:
            if not isinstance(exc, SchedulerError | OSError | typer.Abort):
                log.exception("unexpected_error")
            typer.echo(f"error: {one_line(exc)}", err=True)
            sys.exit(FAILED)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the shared options from any place on the line, and IDs that begin with a dash."""
        return super().parse_args(ctx, shared_first(dashed_ids_last(args)))


def shared_first(args: list[str]) -> list[str]:
    """Move the shared options, each with its value, before everything else.

    What follows a lone ``--`` stays where it is.
    """
    shared: list[str] = []
    others: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        if arg == "--":
            others += [arg, *remaining]
        elif arg in SHARED:
            shared += [arg, value_after(arg, remaining)]
        elif arg.startswith(tuple(f"{name}=" for name in SHARED)):
            shared.append(arg)
        else:
            others.append(arg)
    return shared + others


def dashed_ids_last(args: list[str]) -> list[str]:
    """Move IDs that begin with a dash, as one in 64 does, to where they are no options."""
    end = args.index("--") if "--" in args else len(args)
    dashed = [arg for arg in args[:end] if arg.startswith("-") and is_id(arg)]
    if not dashed:
        return args
    others = [arg for arg in args[:end] if arg not in dashed]
    return [*others, "--", *dashed, *args[end + 1 :]]


def is_id(text: str) -> bool:
    """Tell whether a text is an ID."""
    try:
        Id.parse(text)
    except InvalidId:
        return False
    return True


def value_after(name: str, remaining: Iterator[str]) -> str:
    """Take the value of an option."""
    for value in remaining:
        return value
    raise typer.BadParameter(f"{name} requires a value")


def usage(exc: Any) -> str:
    """Say in one line what cannot be understood; without any arguments, show the help."""
    message = exc.format_message()
    asked_nothing = exc.ctx is not None and message == exc.ctx.get_help()
    return message if asked_nothing else f"error: {plain(' '.join(message.split()))}"


def one_line(exc: Exception) -> str:
    """Say in one line what went wrong; what it quotes cannot steer a terminal."""
    match exc:
        case SchedulerError():
            text = exc.detail
        case OSError(filename=str() | bytes() as file, strerror=str() as reason):
            text = f"{os.fsdecode(file)}: {reason}"
        case OSError():
            text = str(exc)
        case typer.Abort():
            text = "aborted"
        case _:
            text = f"unexpected {exc!r}; this is a bug, --log-level error shows where"
    return plain(" ".join(text.split()))
