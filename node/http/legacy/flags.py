"""Query parameters that say something by being there, with or without a value."""

from __future__ import annotations

from urllib.parse import parse_qsl

from node.http.request import Call


def flags(call: Call) -> frozenset[str]:
    """Return the names of all query parameters, empty ones too."""
    query = call.target.partition("?")[2]
    return frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True))
