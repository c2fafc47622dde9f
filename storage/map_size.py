"""How much address space a shard gets: doubled for the next start once it was too little."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from storage.durable_files import write_durably

_FILE = "map-size"


def wanted_map_size(folder: Path, setting: int) -> int:
    """Return the bytes to ask for: the setting, or more once that did not suffice."""
    with suppress(OSError, ValueError):
        return max(setting, int((folder / _FILE).read_text("ascii")))
    return setting


def ask_for_more(folder: Path, size: int) -> None:
    """Let the next start ask for twice `size` bytes; LMDB cannot grow a map in use."""
    # Where even this small file cannot be written, the next start meets the same error.
    with suppress(OSError):
        keep_map_size(folder, 2 * size)


def keep_map_size(folder: Path, size: int) -> None:
    """Let every start ask for at least `size` bytes.

    Raises:
        OSError: it cannot be written down.
    """
    write_durably(folder / _FILE, b"%d\n" % size)
