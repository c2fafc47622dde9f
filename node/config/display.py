"""Show a configuration to people without showing a secret in it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from node.config.loading import Loaded
from node.config.names import FIELDS

HIDDEN = "***"


def rows(loaded: Loaded) -> list[tuple[str, Any, str]]:
    """Return name, value and origin of every field, in the model's order."""
    return [(name, _value(loaded, name), loaded.origins[name]) for name in FIELDS]


def shown(value: Any) -> Any:
    """Return a value as JSON has it; of an address, user, password and query are hidden."""
    match value:
        case Enum():
            return value.value
        case tuple():
            return [shown(part) for part in value]
        case Path():
            return str(value)
        case str() if "://" in value:
            return _address(value)
        case _:
            return value


def _value(loaded: Loaded, name: str) -> Any:
    section, _, field = name.partition(".")
    return shown(getattr(getattr(loaded.config, section), field))


def _address(url: str) -> str:
    # Services take keys as user, password or query.
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    user, at, host = parts.netloc.rpartition("@")
    place = f"{HIDDEN if user else ''}{at}{host}"
    query = HIDDEN if parts.query else ""
    fragment = HIDDEN if parts.fragment else ""
    return urlunsplit((parts.scheme, place, parts.path, query, fragment))
