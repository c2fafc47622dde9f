"""What the sandbox answers on a bundler's and a gateway's routes, and where it takes orders."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from node.sandbox import graphql
from node.sandbox.blocks import Blocks
from node.sandbox.faults import Fault, Faults, Kind
from node.sandbox.shelf import Shelf, admitted
from protocol.errors import InvalidInput, SchedulerError
from protocol.ids import Id, digest_id

JSON = "application/json"
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is on the wire."""

    status: int
    body: bytes
    content_type: str = JSON


@dataclass(slots=True)
class StandIn:
    """Answer requests. Thread-safe.

    Attributes:
        shelf: the items that were taken.
        blocks: the chain.
        faults: what to do wrong.
        asked: how often each route was asked.
        clock: seconds since 1970, for receipts.
    """

    shelf: Shelf = field(default_factory=Shelf)
    blocks: Blocks = field(default_factory=Blocks)
    faults: Faults = field(default_factory=Faults)
    asked: Counter[str] = field(default_factory=Counter)
    clock: Callable[[], float] = time.time
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: bytes) -> Reply | None:
        """Return the answer to a request, or None to close the connection without one."""
        parts = path.partition("?")[0].strip("/").split("/")
        try:
            if parts == ["control"]:
                return self._control(method, body)
            route, act = self._route(method, parts, body)
        except InvalidInput as exc:
            return _problem(exc)
        if act is None:
            return Reply(404, b'{"error":"there is nothing here"}')
        with self._counting:
            self.asked[route] += 1
        return self._perform(act, self.faults.take(route))

    def _perform(self, act: Callable[[Kind | None], Reply], fault: Fault | None) -> Reply | None:
        if fault is not None and fault.kind is Kind.DELAY:
            self.faults.delay(fault.seconds)
        kind = fault.kind if fault else None
        stops = fault is not None and kind in (Kind.FAIL, Kind.DROP)
        try:
            if fault is None or not stops:
                return act(kind)
            if fault.applied:
                act(None)
        except SchedulerError as exc:
            return _problem(exc)
        return _error(fault.status, "told to fail") if kind is Kind.FAIL else None

    def _route(
        self, method: str, parts: list[str], body: bytes
    ) -> tuple[str, Callable[[Kind | None], Reply] | None]:
        match method, parts:
            case "POST", ["tx"] | ["tx", "arweave"]:
                return "tx", lambda kind: self._take(body, kind)
            case "GET", ["block", "current"]:
                return "block", lambda kind: _json(self._block(kind))
            case "GET", ["info"]:
                return "info", lambda kind: _json({"network": "sandbox", **self._block(kind)})
            case "POST", ["graphql"]:
                return "graphql", lambda kind: self._query(body, kind)
            case "GET", ["raw", text]:
                item_id = Id.parse(text)
                return "raw", lambda kind: self._raw(item_id, kind)
        return "", None

    def _take(self, body: bytes, kind: Kind | None) -> Reply:
        item = admitted(body)
        if kind is not Kind.FORGET and kind is not Kind.LIE:
            self.shelf.keep(item)
        named = digest_id(item.id) if kind is Kind.LIE else item.id
        stamp = int(self.clock() * 1000)
        return _json({"id": str(named), "timestamp": stamp, "version": "1.0.0"})

    def _block(self, kind: Kind | None) -> dict[str, Any]:
        block = self.blocks.current()
        return {**block, "height": -1} if kind is Kind.LIE else block

    def _query(self, body: bytes, kind: Kind | None) -> Reply:
        alter = _forged if kind is Kind.LIE else _as_it_is
        return _json(graphql.answer(body, self.shelf, self.blocks.current(), alter))

    def _raw(self, item_id: Id, kind: Kind | None) -> Reply:
        data = self.shelf.data(item_id)
        if data is None:
            return _error(404, "there is no such item")
        return Reply(200, data + b"?" if kind is Kind.LIE else data, BYTES)

    def _control(self, method: str, body: bytes) -> Reply:
        if method == "POST":
            told = _read(body)
            if told == {"kind": "heal"}:
                self.faults.heal()
            else:
                self.faults.tell(Fault.read(told))
        faults = [fault.model_dump(mode="json") for fault in self.faults.told()]
        return _json({"items": len(self.shelf), "asked": self.asked, "faults": faults})


def _as_it_is(node: dict[str, Any]) -> dict[str, Any]:
    return node


def _forged(node: dict[str, Any]) -> dict[str, Any]:
    # All of it is true but one tag, which is what a clever liar would change.
    return {**node, "tags": [*node["tags"], {"name": "forged", "value": "yes"}]}


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidInput("an order is a JSON object") from None


def _json(said: Mapping[str, Any]) -> Reply:
    return Reply(200, orjson.dumps(said))


def _error(status: int, words: str) -> Reply:
    return Reply(status, orjson.dumps({"error": words}))


def _problem(exc: SchedulerError) -> Reply:
    return Reply(exc.status, orjson.dumps({"error": exc.detail, "code": exc.code}))
