"""The recorded vectors, as the tests read them."""

from __future__ import annotations

import json
import lzma
from base64 import urlsafe_b64decode
from functools import cache
from typing import Any

from protocol.codecs.structured import Atom, Link, Scalar
from protocol.codecs.wire import Wire
from protocol.tabm import Tabm, Typed
from tests.sources import ROOT

Json = dict[str, Any]

VECTORS = ROOT / "tests" / "vectors"


@cache
def vectors(name: str) -> Json:
    """One file of `tests/vectors`."""
    with lzma.open(VECTORS / f"{name}.json.xz", "rt") as file:
        return json.load(file)


def raw(text: str) -> bytes:
    """Bytes that stand as base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def octets(value: str | Json) -> bytes:
    """Bytes that stand as text, or as ``{"b64u": …}`` where they are none."""
    return value.encode() if isinstance(value, str) else raw(value["b64u"])


def pairs(recorded: list[list[Any]]) -> list[tuple[bytes, bytes]]:
    """Tags, or any list of pairs of bytes."""
    return [(octets(name), octets(value)) for name, value in recorded]


def scalar(typed: Json) -> Scalar:
    """A typed value that is neither list nor map nor link."""
    kind, text = typed["t"], typed.get("v")
    if kind == "bin":
        return octets(typed.get("utf8", typed))
    return {"int": int, "float": float, "atom": Atom}[kind](text)


def typed(recorded: Json) -> Typed:
    """A typed value of any kind."""
    kind, value = recorded["t"], recorded.get("v")
    if kind == "map":
        return {name: typed(inner) for name, inner in value}
    if kind == "list":
        return [typed(inner) for inner in value]
    return Link(recorded["id"]) if kind == "link" else scalar(recorded)


def tabm(recorded: list[list[Any]]) -> dict[bytes, bytes | Tabm]:
    """A TABM: pairs whose values are bytes or such pairs again."""
    return {
        octets(key): tabm(value["map"])
        if isinstance(value, dict) and "map" in value
        else octets(value)
        for key, value in recorded
    }


def wire(recorded: Json) -> Wire:
    """Headers, sorted, and a body."""
    return Wire(tuple(sorted(pairs(recorded["headers"]))), raw(recorded["body_b64u"] or ""))


def recorded_items() -> dict[str, Json]:
    """Every recorded data item that HyperBEAM could read, by a name of its own."""
    ans104 = vectors("ans104")
    found = {
        f"{message['name']} {stage}": message[stage]
        for message in ans104["messages"]
        for stage in ("unsigned_item", "commit", "commit_bundle")
        if message[stage]
    }
    found |= {item["name"]: item for item in ans104["items"] + ans104["foreign"]}
    found |= {
        f"{schedule['name']} {slot} {form}": assignment[form]
        for schedule in vectors("assignments")["schedules"]
        for slot, assignment in enumerate(schedule["assignments"])
        for form in ("as_ans104", "as_ans104_bundle")
    }
    return {name: item for name, item in found.items() if "error" not in item}


def body(exchange: Json) -> bytes:
    """The body of a recorded HTTP request."""
    return raw(exchange["request_b64u"]).partition(b"\r\n\r\n")[2]


def is_flat(item: Json) -> bool:
    """Whether an item holds all of its message: no nested item, and no tag that is a link."""
    links = any(octets(name).endswith(b"+link") for name, _ in item["tags"])
    return not item["nested"] and not links
