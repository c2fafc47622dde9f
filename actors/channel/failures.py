"""Errors as facts that travel: the same class arrives, with what it says."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from protocol.errors import MalformedFrame, SchedulerError

MAX_DETAIL = 4096
"""Characters of an error's sentence that are sent."""

Facts = tuple[Any, ...]

_classes: dict[str, type[SchedulerError]] = {}


def error_facts(error: SchedulerError) -> Facts:
    """Return code, sentence, and what else its class says that an error carries."""
    carried = _carried(type(error))
    extras = {
        name: value
        for name, value in vars(error).items()
        if name in carried and isinstance(value, carried[name])
    }
    # Paths of files may hold what is no text.
    detail = error.detail[:MAX_DETAIL].encode("utf-8", "backslashreplace").decode()
    return error.code, detail, extras


def read_error(facts: Facts) -> SchedulerError:
    """Build the error that `error_facts` told of.

    An error whose code nobody here knows is a `SchedulerError` with that code.

    Raises:
        MalformedFrame: these are no facts of an error.
    """
    if tuple(map(type, facts)) != (str, str, dict):
        raise MalformedFrame("an error does not look like one")
    code, detail, extras = facts
    error = _class_of(code)(detail)
    if error.code != code:
        error.code = code
    carried = _carried(type(error))
    for name, value in extras.items():
        if name not in carried or not isinstance(value, carried[name]):
            raise MalformedFrame(f"an error {code} has no {name!r}")
        setattr(error, name, value)
    return error


def _class_of(code: str) -> type[SchedulerError]:
    if code not in _classes:
        # Some errors are defined by whoever is imported later.
        _classes.update((known.code, known) for known in _family(SchedulerError))
    return _classes.get(code, SchedulerError)


def _family(base: type[SchedulerError]) -> list[type[SchedulerError]]:
    return [base, *(found for child in base.__subclasses__() for found in _family(child))]


def _carried(kind: type[SchedulerError]) -> dict[str, Any]:
    # What classes of errors declare with a type: `retry_after`, `process`, `slot`. Where they
    # say float, whole seconds will do.
    declared = get_type_hints(kind).items()
    return {name: hint | int if float in get_args(hint) else hint for name, hint in declared}
