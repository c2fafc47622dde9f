"""Keys of a message that are read when somebody asks for the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping


class LateKeys(Mapping[bytes, bytes]):
    """What `read` gives, which is called once, or not at all; what it raises is raised here."""

    __slots__ = ("_keys", "_read")

    def __init__(self, read: Callable[[], Mapping[bytes, bytes]]) -> None:
        self._read = read
        self._keys: Mapping[bytes, bytes] | None = None

    @property
    def _known(self) -> Mapping[bytes, bytes]:
        if self._keys is None:
            self._keys = self._read()
        return self._keys

    def __getitem__(self, name: bytes) -> bytes:
        return self._known[name]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
