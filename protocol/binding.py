"""Who schedules a process: the addresses that its own message names, and hints where to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

from protocol.errors import InvalidId, InvalidInput, NoScheduler
from protocol.ids import Id
from protocol.location import require_url
from protocol.terms import MAX_TERM_BYTES

SCHEDULER_KEYS = (b"scheduler", b"scheduler-location")


class Binding(NamedTuple):
    """One scheduler that a process names.

    Attributes:
        address: of the scheduler's wallet; only its signature counts.
        hint: URL where it may be found, or "". Nobody signed for it, so it is no more than
            a place to ask at.
    """

    address: Id
    hint: str = ""


def bindings(keys: Mapping[bytes, bytes]) -> tuple[Binding, ...]:
    """Return the schedulers that a process message names, each once, in its order.

    ``ADDRESS``, or ``ADDRESS?hint=URL``, or several with commas between; what is no address
    is passed over.

    Args:
        keys: committed keys of a message of type Process, names in lower case.

    Raises:
        NoScheduler: neither `scheduler` nor `scheduler-location` is there.
    """
    value = next((keys[name] for name in SCHEDULER_KEYS if keys.get(name)), b"")
    if not value:
        raise NoScheduler("the process names no scheduler")
    found: dict[Id, Binding] = {}
    for part in value[:MAX_TERM_BYTES].split(b","):
        address, _, query = part.strip(b' "').partition(b"?")
        try:
            binding = Binding(Id.parse(address), hint_of(query.decode("ascii", "replace")))
        except InvalidId:
            continue
        found.setdefault(binding.address, binding)
    return tuple(found.values())


def hint_of(query: str) -> str:
    """Return the URL that a query string gives as `hint`, or "" when it gives none."""
    try:
        (hint,) = parse_qs(query, max_num_fields=8).get("hint", [""])
        return require_url(hint)
    except (InvalidInput, ValueError):
        return ""
