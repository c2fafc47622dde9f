"""The items that the sandbox took, as a gateway finds them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from protocol.codecs import ans104
from protocol.codecs.ans104 import Item
from protocol.errors import InvalidSignature
from protocol.ids import Id

CAPACITY_BYTES = 1 << 30
"""What is kept in memory; beyond it the oldest items go."""


class Shelf:
    """Keep verified items in memory. Thread-safe."""

    def __init__(self, capacity: int = CAPACITY_BYTES) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        # Guarded by the lock; in order of arrival.
        self._items: OrderedDict[Id, bytes] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._items)

    def keep(self, item: Item) -> None:
        """Keep an item; keeping it again changes nothing."""
        raw = item.encode()
        with self._lock:
            if item.id in self._items:
                return
            self._items[item.id] = raw
            self._size += len(raw)
            while self._size > self._capacity:
                self._size -= len(self._items.popitem(last=False)[1])

    def data(self, item_id: Id) -> bytes | None:
        """Return the data of an item, which is what gateways serve as its raw form."""
        raw = self._items.get(item_id)
        return None if raw is None else ans104.parse(raw).data

    def all(self) -> dict[Id, bytes]:
        """Return a copy of everything kept, in order of arrival."""
        with self._lock:
            return dict(self._items)

    def find(
        self,
        ids: Collection[str] | None = None,
        owners: Collection[str] | None = None,
        tags: Iterable[Mapping[str, Any]] = (),
        first: int = 10,
    ) -> list[Item]:
        """Return items that meet all conditions, newest first.

        Args:
            ids: one of these IDs.
            owners: signed by one of these addresses.
            tags: for each ``{"name", "values"}`` a tag of that name with one of the values.
            first: how many at most.
        """
        wanted = [(str(tag["name"]), _several(tag["values"])) for tag in tags]
        matching = (
            item
            for item in self._newest_first(ids)
            if owners is None or str(item.owner_address) in owners
            if all(_has(item, name, values) for name, values in wanted)
        )
        return list(islice(matching, first))

    def _newest_first(self, ids: Collection[str] | None) -> Iterable[Item]:
        kept = self.all()
        for item_id in reversed(kept):
            if ids is None or str(item_id) in ids:
                yield ans104.parse(kept[item_id])


def admitted(raw: bytes) -> Item:
    """Read an item as strictly as bundlers do.

    Raises:
        InvalidInput: they would not take it.
    """
    item = ans104.parse(raw)
    ans104.require_canonical(item)
    if not item.verify():
        raise InvalidSignature("the signature does not verify")
    return item


def _has(item: Item, name: str, values: Collection[str]) -> bool:
    return any(
        key == name.encode() and value.decode("utf-8", "replace") in values
        for key, value in item.tags
    )


def _several(values: str | Collection[str]) -> Collection[str]:
    # GraphQL takes a single value where a list is expected.
    return [values] if isinstance(values, str) else values
