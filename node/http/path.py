"""What a URL asks for: HyperBEAM's path grammar, and the keys of path and query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from protocol.errors import InvalidId, InvalidInput
from protocol.ids import Id

MAX_STEPS = 16
"""Steps of a path; no route here has more than four."""


@dataclass(frozen=True, slots=True)
class Path:
    """A path, read.

    ``/{base}~{device}/{key}/{rest…}``, every part of which may be absent; a device may also
    stand on its own, as in ``/{base}/~scheduler@1.0/slot``. A step may carry keys:
    ``/~scheduler@1.0/schedule&target=…&from+integer=0``.

    Attributes:
        base: ID of the process or message it begins with, or None.
        device: name of the last device before the key, such as ``process@1.0``, or "".
        key: what is asked of it, or "".
        rest: which part of the answer is wanted.
        keys: of the path and the query. The last one of a name wins, an empty one is none.
    """

    base: Id | None
    device: str
    key: str
    rest: tuple[str, ...]
    keys: dict[str, str]

    @classmethod
    def parse(cls, path: bytes, query: bytes = b"") -> Self:
        """Read a path and a query as they stand in a request, percent-encoded.

        A ``%3F`` in the path begins a query, too: some clients put the whole of it through a
        URL's path.

        Raises:
            InvalidInput: it is no text, or has too many steps.
        """
        plain, _, more = _text(path).replace("%3f", "%3F").partition("%3F")
        steps = [step for step in plain.split("/") if step]
        if len(steps) > MAX_STEPS:
            raise InvalidInput(f"the path has more than {MAX_STEPS} steps")
        keys: dict[str, str] = {}
        names = [_step(step, keys) for step in steps]
        _add(keys, more.split("&"), plus=True)
        _add(keys, _text(query).split("&"), plus=True)
        return cls(*_parts(names), keys)


def _parts(steps: list[tuple[str, str]]) -> tuple[Id | None, str, str, tuple[str, ...]]:
    base, device = None, ""
    names = list(steps)
    if names and (base := _id(names[0][0])) is not None:
        device = names.pop(0)[1]
    while names and not names[0][0]:
        device = names.pop(0)[1] or device
    key = names[0][0] if names else ""
    return base, device, key, tuple(name for name, _ in names[1:])


def _step(step: str, keys: dict[str, str]) -> tuple[str, str]:
    named, *parameters = step.split("&")
    _add(keys, parameters, plus=False)
    name, _, device = _decoded(named).partition("~")
    return name, device


def _add(keys: dict[str, str], parameters: list[str], *, plus: bool) -> None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        # What follows a plus is the value's type; whoever reads the value knows it.
        name = _decoded(name).partition("+")[0].lower()
        value = _decoded(value.replace("+", " ") if plus else value)
        if name and value:
            keys[name] = value


def _id(text: str) -> Id | None:
    try:
        return Id.parse(text)
    except InvalidId:
        return None


def _text(encoded: bytes) -> str:
    try:
        return encoded.decode("ascii")
    except UnicodeDecodeError:
        raise InvalidInput("the address is not percent-encoded") from None


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInput("the address is no UTF-8 text") from None
