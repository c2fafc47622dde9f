"""The names of all fields: dotted in files and flags, in capitals in the environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_origin

from node.config.model import Config

PREFIX = "AO_SCHEDULER_"
FILE_VARIABLE = f"{PREFIX}CONFIG"
"""Names the configuration file."""

SHORT = {"store.data": f"{PREFIX}DATA", "store.wallets": f"{PREFIX}WALLET"}
"""What every command reads, not only the node."""


@dataclass(frozen=True, slots=True)
class Field:
    """One value that can be set.

    Attributes:
        name: section and field, with a dot between them.
        variable: the environment variable.
        many: whether it takes several values, separated by commas in the environment.
    """

    name: str
    variable: str
    many: bool

    def parsed(self, text: str) -> Any:
        """Return what `text` stands for, before it is checked."""
        if not self.many:
            return text
        return [part.strip() for part in text.split(",") if part.strip()]


def _fields() -> Iterator[Field]:
    for section, table in Config.model_fields.items():
        model: Any = table.annotation
        for name, info in model.model_fields.items():
            dotted = f"{section}.{name}"
            variable = SHORT.get(dotted, f"{PREFIX}{section}_{name}".upper())
            yield Field(dotted, variable, get_origin(info.annotation) is tuple)


FIELDS = {field.name: field for field in _fields()}
VARIABLES = {field.variable: field for field in FIELDS.values()}
