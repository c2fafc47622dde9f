"""Write a configuration as a file that explains itself."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from node.config.display import rows
from node.config.loading import DEFAULT, Loaded
from node.config.model import Config

WIDTH = 96


def explained(loaded: Loaded) -> str:
    """Return TOML with a comment for every setting; what has no value is a comment, too.

    It can be used as a configuration file where nothing in it is hidden.
    """
    return "\n".join(_lines(loaded))


def _lines(loaded: Loaded) -> Iterator[str]:
    yield f"# Settings that are not {DEFAULT}s say where they come from."
    table = ""
    for name, value, origin in rows(loaded):
        section, _, field = name.partition(".")
        if section != table:
            table = section
            yield f"\n[{section}]"
        yield from _comment(_description(section, field))
        setting = f"{field} = {_written(value)}" if value is not None else f'# {field} = ""'
        yield setting if origin == DEFAULT else f"{setting}  # {origin}"


def _description(section: str, field: str) -> str:
    model: Any = Config.model_fields[section].annotation
    return " ".join((model.model_fields[field].description or "").split())


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")


def _written(value: Any) -> str:
    # Strings, numbers, booleans and lists of them are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
