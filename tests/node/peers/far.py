"""Another scheduler behind HTTP, that sends what a test tells it to."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from protocol.assignment import LEGACY_VARIANT, VARIANT
from protocol.codecs import portable
from protocol.entry import Entry
from protocol.formats import aos2, bundle, legacy
from protocol.formats.frame import Frame
from protocol.ids import Id
from tests.foreign import BLOCK, process_of
from tests.node.peers.outside import Server, reply

_BOUNDS = ("from", "to", "from-nonce", "to-nonce")
Raw = bytes | Callable[[socket.socket, bytes], None]


class FarNode:
    """Answer for one process, in both variants.

    Attributes:
        entries: what it has; tests change it.
        page_limit: most slots in one page.
        bundles: whether its bundles carry signatures, as HyperBEAM's own do not.
    """

    def __init__(self, server: Server, entries: list[Entry]) -> None:
        self.entries = list(entries)
        self.page_limit = 1000
        self.bundles = True
        self._server = server
        self.answer_with(self.answer)

    @property
    def process(self) -> Id:
        return process_of(self.entries)

    @property
    def requests(self) -> list[bytes]:
        """The requests so far, as they came."""
        return self._server.requests

    def answer_with(self, answer: Callable[[str], Raw]) -> None:
        """Answer each path with what the function says."""
        self._server.answers = Answers(answer)

    @property
    def asked(self) -> list[str]:
        """Paths of the requests so far, with their queries."""
        return [head.split(b" ", 2)[1].decode() for head in self._server.requests]

    def answer(self, target: str) -> Raw:
        url = urlsplit(target)
        query = {
            name: int(values[-1]) for name, values in parse_qs(url.query).items() if name in _BOUNDS
        }
        _, leaf, *rest = f"{url.path}/".split("/")
        if leaf == str(self.process):
            return self._of_process(rest[0], query)
        found = [entry for entry in self.entries if str(entry.message.id) == leaf]
        return self._node(found[0]) if found else reply(404)

    def _of_process(self, name: str, query: dict[str, int]) -> Raw:
        if name == "slot":
            return reply(headers=[("current", str(len(self.entries) - 1))])
        if name == "latest":
            return self._node(self.entries[-1])
        if name == "schedule":
            return self._schedule(query["from"], query["to"])
        return self._legacy(query["from-nonce"] + 1, query["to-nonce"])

    def _range(self, first: int, last: int) -> tuple[list[Entry], Frame]:
        found = self.entries[first : last + 1]
        kept = found[: self.page_limit]
        return kept, Frame(self.process, len(kept) < len(found), 1_700_000_000, BLOCK)

    def _schedule(self, first: int, last: int) -> Raw:
        found, frame = self._range(first, last)

        def send(connection: socket.socket, head: bytes) -> None:
            if b"application/aos-2" in head:
                connection.sendall(reply(body=aos2.schedule(frame, found)))
                return
            tabm = bundle.schedule(frame, found if self.bundles else [])
            if not self.bundles:
                tabm[b"assignments"] = {b"0": {b"type": b"Assignment"}}
            wire = portable.encode(tabm)
            headers = [(name.decode("latin-1"), value.decode()) for name, value in wire.headers]
            connection.sendall(reply(body=wire.body, headers=headers))

        return send

    def _legacy(self, first: int, last: int) -> bytes:
        found, frame = self._range(first, last)
        return reply(body=legacy.page(found, more=frame.more, by_nonce=True, show_anchor=True))

    def _node(self, entry: Entry) -> bytes:
        return reply(body=json.dumps(legacy.node(entry, show_anchor=True)).encode())


class Answers(dict):
    """What a `Server` looks its answers up in: each path is asked of a function."""

    def __init__(self, answer: Callable[[str], Raw]) -> None:
        super().__init__()
        self._answer = answer

    def get(self, path, default=None):
        return self._answer(path)


VARIANTS = {
    "bundle": ("hash-chain", VARIANT),
    "hashpath": ("base-hashpath", VARIANT),
    "legacy": ("legacy", LEGACY_VARIANT),
}
