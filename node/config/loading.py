"""Load a configuration: defaults, then a file, then the environment, then flags."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from node.config.model import Config
from node.config.names import FIELDS, FILE_VARIABLE, VARIABLES
from node.errors import ConfigInvalid

DEFAULT = "default"

Origins = dict[str, str]
Values = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and where it came from.

    Attributes:
        config: the effective one.
        origins: for each field's dotted name, "default", the file, the variable or the flag.
    """

    config: Config
    origins: Mapping[str, str]


def load(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, tuple[str, str]] | None = None,
) -> Loaded:
    """Load the configuration; what comes later in this list of sources wins.

    Args:
        file: a TOML file with one table per section; else `AO_SCHEDULER_CONFIG` names it.
        environment: variables such as `AO_SCHEDULER_SERVER_PORT`; an empty one is not set.
        flags: dotted name of a field -> the flag's name and its value as text.

    Raises:
        ConfigInvalid: the file cannot be read, or a value cannot be used; names its source
            and never quotes it, because it may be a secret.
    """
    known = {name: text for name, text in (environment or {}).items() if text}
    values: Values = {}
    origins = dict.fromkeys(FIELDS, DEFAULT)
    named = file or (Path(known[FILE_VARIABLE]) if FILE_VARIABLE in known else None)
    if named is not None:
        _merge(values, origins, _in_file(named))
    _merge(values, origins, _in_environment(known))
    _merge(values, origins, _in_flags(flags or {}))
    return Loaded(_checked(values, origins), origins)


def _in_file(file: Path) -> Iterator[tuple[str, str, Any]]:
    for section, table in _parsed(file).items():
        if not isinstance(table, dict):
            raise ConfigInvalid(f"{file}: {section} is not a table")
        for name, value in table.items():
            yield f"{section}.{name}", str(file), value


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as exc:
        raise ConfigInvalid(f"cannot read configuration {file}: {exc.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigInvalid(f"configuration {file} is not TOML: {exc}") from None


def _in_environment(known: Mapping[str, str]) -> Iterator[tuple[str, str, Any]]:
    # Others are left alone: an orchestrator sets AO_SCHEDULER_PORT for a service of that name.
    for variable, field in VARIABLES.items():
        if variable in known:
            yield field.name, variable, field.parsed(known[variable])


def _in_flags(flags: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str, Any]]:
    for name, (flag, text) in flags.items():
        field = FIELDS.get(name)
        yield name, flag, text if field is None else field.parsed(text)


def _merge(values: Values, origins: Origins, found: Iterable[tuple[str, str, Any]]) -> None:
    for name, origin, value in found:
        if name not in FIELDS:
            raise ConfigInvalid(f"{origin}: there is no {name!r} to configure")
        section, _, field = name.partition(".")
        values.setdefault(section, {})[field] = value
        origins[name] = origin


def _checked(values: Values, origins: Origins) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as exc:
        # The error object holds what was given, and its frames would be shown with it.
        complaint = _complaint(exc, origins)
    raise ConfigInvalid(complaint)


def _complaint(error: ValidationError, origins: Origins) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(map(str, first["loc"][:2]))
    reason = first["msg"].removeprefix("Value error, ")
    if name not in origins:
        return reason
    return f"{name} (from {origins[name]}): {reason}"
