"""As much GraphQL as clients of Arweave gateways use: `transaction` and `transactions`."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from node.sandbox.shelf import Shelf
from protocol.codecs.ans104 import Item
from protocol.errors import InvalidInput

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|\$?[A-Za-z_]\w*|-?\d+|[^\s,]')
FIELDS = ("transaction", "transactions")
KNOWN = ("ids", "owners", "tags", "first")
MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is asked for, under the name that the answer gives it."""

    alias: str
    name: str
    arguments: Mapping[str, Any]


def answer(
    request: bytes, shelf: Shelf, block: Mapping[str, Any], alter: Callable[[Any], Any]
) -> dict[str, Any]:
    """Answer a request. Every known property of a node is given, asked for or not.

    Args:
        request: JSON with `query` and `variables`.
        shelf: the items to look in.
        block: the one that all items are said to be in.
        alter: what becomes of a node before it is given out.

    Raises:
        InvalidInput: the request cannot be read.
    """
    try:
        asked = orjson.loads(request)
        fields = fields_of(asked["query"], asked.get("variables") or {})
        selected = [(field, _select(shelf, field)) for field in fields]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise InvalidInput("that is no GraphQL query") from None
    found: dict[str, Any] = {}
    for field, items in selected:
        nodes = [alter(node(item, block)) for item in items]
        found[field.alias] = _connection(nodes) if field.name == "transactions" else _one(nodes)
    return {"data": found}


def fields_of(query: str, variables: Mapping[str, Any]) -> Iterator[Field]:
    """Read the fields with their arguments, variables replaced by their values."""
    reader = _Reader(TOKEN.findall(query), variables)
    depth, before = 0, ["", ""]
    while (word := reader.next()) is not None:
        depth += (word == "{") - (word == "}")
        if depth and word in FIELDS:  # outside of braces it would be the query's own name
            alias = before[0] if before[1] == ":" else word
            yield Field(alias, word, reader.arguments())
        before = [before[1], word]


def node(item: Item, block: Mapping[str, Any]) -> dict[str, Any]:
    """An item as gateways describe it."""
    return {
        "id": str(item.id),
        "anchor": _text(item.anchor),
        "signature": _text(item.signature),
        "recipient": _text(item.target),
        "owner": {"address": str(item.owner_address), "key": _text(item.owner)},
        "tags": [
            {"name": name.decode("utf-8", "replace"), "value": value.decode("utf-8", "replace")}
            for name, value in item.tags
        ],
        "data": {"size": str(len(item.data)), "type": None},
        "block": {"id": block["indep_hash"], **{k: block[k] for k in ("height", "timestamp")}},
        "bundledIn": None,
    }


class _Reader:
    def __init__(self, tokens: list[str], variables: Mapping[str, Any]) -> None:
        self._tokens = tokens
        self._variables = variables
        self._at = 0

    def next(self) -> str | None:
        if self._at == len(self._tokens):
            return None
        self._at += 1
        return self._tokens[self._at - 1]

    def arguments(self) -> dict[str, Any]:
        if self._tokens[self._at] != "(":
            return {}
        self._at += 1
        return self._pairs(")", 0)

    def _pairs(self, end: str, depth: int) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while (name := self.next()) != end:
            if name is None or self.next() != ":":
                raise InvalidInput("that is no GraphQL query")
            pairs[name] = self._value(depth + 1)
        return pairs

    def _list(self, depth: int) -> list[Any]:
        values: list[Any] = []
        while self._tokens[self._at] != "]":
            values.append(self._value(depth + 1))
        self._at += 1
        return values

    def _value(self, depth: int) -> Any:
        word = self.next()
        if word is None or depth > MAX_DEPTH:
            raise InvalidInput("that is no GraphQL query")
        if word == "[":
            return self._list(depth)
        if word == "{":
            return self._pairs("}", depth)
        if word.startswith("$"):
            return self._variables.get(word[1:])
        if word[0] in '"-0123456789':
            return orjson.loads(word)
        return None if word == "null" else word


def _select(shelf: Shelf, field: Field) -> list[Item]:
    if field.name == "transaction":
        return shelf.find(ids=[field.arguments["id"]])
    given = {name: field.arguments[name] for name in KNOWN if field.arguments.get(name) is not None}
    for name in given.keys() & {"ids", "owners", "tags"}:
        if not isinstance(given[name], list):  # GraphQL takes one value for a list of one
            given[name] = [given[name]]
    return shelf.find(**given)


def _connection(nodes: list[Any]) -> dict[str, Any]:
    edges = [{"cursor": str(number), "node": node} for number, node in enumerate(nodes)]
    return {"pageInfo": {"hasNextPage": False}, "edges": edges}


def _one(nodes: list[Any]) -> Any:
    return nodes[0] if nodes else None


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
