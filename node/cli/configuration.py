"""The options that configure a node, and `config`: what is in effect, and why."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.screen import table
from node.config import Loaded, load
from node.config.display import rows
from node.config.explaining import explained

COLUMNS = ("setting", "value", "from")
SHARED = {"data": "store.data", "wallet": "store.wallets", "log_level": "log.level"}
"""The options that every command takes, and what they set here."""

File = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file with a table per section."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set anything, such as limits.body_bytes=1000000; may come again.",
    ),
]
Explained = Annotated[
    bool, typer.Option("--explain", help="Print a TOML file that says what each setting does.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def config(
    context: typer.Context,
    *,
    file: File = None,
    settings: Settings = None,
    explain: Explained = False,
    as_json: AsJson = False,
) -> None:
    """Print the effective configuration, and where each value comes from.

    Flags win over environment variables (AO_SCHEDULER_SERVER_PORT), these over the file, and
    that over the defaults. Keys and passwords are not shown.
    """
    loaded = configured(context, file, settings or ())
    found = rows(loaded)
    if explain:
        typer.echo(explained(loaded))
    elif as_json:
        printed = {name: {"value": value, "from": origin} for name, value, origin in found}
        typer.echo(json.dumps(printed))
    else:
        table(COLUMNS, [(name, _text(value), origin) for name, value, origin in found])


def configured(
    context: typer.Context,
    file: Path | None,
    settings: Sequence[str],
    flags: dict[str, tuple[str, str]] | None = None,
) -> Loaded:
    """Load the configuration of the command in `context`.

    Args:
        context: of a command; holds the options that all commands share.
        file: the configuration file, if one was named.
        settings: what `--set` was given.
        flags: the command's own flags: dotted name -> the flag's name and its value.

    Raises:
        ConfigInvalid: something in it cannot be used.
    """
    given = {**dict(_shared(context)), **(flags or {}), **dict(map(_setting, settings))}
    return load(file, os.environ, given)


def _shared(context: typer.Context) -> Iterator[tuple[str, tuple[str, str]]]:
    # Only what stands on the command line: the loader reads the environment itself.
    parent: Any = context.parent
    if parent is None:
        return
    for option, name in SHARED.items():
        source = parent.get_parameter_source(option)
        if source is not None and source.name == "COMMANDLINE":
            yield name, (f"--{option.replace('_', '-')}", str(parent.params[option]))


def _setting(text: str) -> tuple[str, tuple[str, str]]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter("--set takes NAME=VALUE")
    return name, ("--set", value)


def _text(value: Any) -> str:
    match value:
        case list():
            return ", ".join(map(str, value))
        case bool():
            return str(value).lower()
        case None:
            return ""
        case _:
            return str(value)
