"""Copying the messages, each to every shard that has a slot for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from protocol.ids import Id
from storage.bodies import BodyFiles
from storage.durable_files import PRIVATE_FOLDER, TEMPORARY
from storage.journal import Body
from storage.placement import shard_of
from storage.records import StoredBody, is_inline, unpack_body
from storage.reshard.bodies import BodyLinks
from storage.reshard.damage import Damaged
from storage.reshard.records import BATCH_BYTES, ENTRY_BYTES, Parts, append
from storage.reshard.source import Entry, Source, merged
from storage.reshard.target import Target
from storage.reshard.wanted import Places, Wanted
from storage.tables import INDEX, MESSAGES


def copy_messages(
    sources: Sequence[Source], targets: Sequence[Target], folder: Path
) -> Iterator[int]:
    """Copy all messages, from where it was left; yield how many records came with each step.

    What was yielded is durable, the files of large messages before the records that name them.

    Args:
        sources: the old shards.
        targets: the new shards, in order of their numbers.
        folder: for files that are gone at the end.
    """
    reached = [target.reached(MESSAGES) for target in targets]
    links = BodyLinks([s.bodies for s in sources], [t.bodies for t in targets])
    with _emptied(folder / f"wanted{TEMPORARY}") as temporary:
        wanted = Wanted(temporary, len(targets))
        wanted.note(merged(sources, INDEX, b""))
        entries = _distinct(merged(sources, MESSAGES, min(reached)), sources[0].bodies)
        for parts in _routed(entries, wanted, links, len(targets)):
            links.sync()
            yield append(MESSAGES, parts, targets, reached)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(PRIVATE_FOLDER)
    yield folder
    shutil.rmtree(folder)


def _routed(
    entries: Iterable[Entry], wanted: Wanted, links: BodyLinks, shards: int
) -> Iterator[Parts]:
    parts: Parts = [[] for _ in range(shards)]
    first, size = -1, 0
    places: Places = {}
    for entry in entries:
        key, record = entry
        if key[0] != first:
            first = key[0]
            places = wanted.places(first)
        # One that no index names is nobody's, and is kept all the same.
        shards_of = places.get(key) or (shard_of(Id(key), shards),)
        name = "" if is_inline(record) else unpack_body(key, record).file
        for shard in shards_of:
            parts[shard].append(entry)
            size += len(record) + ENTRY_BYTES
            if name:
                links.bring(name, shard)
        if size >= BATCH_BYTES:
            yield parts
            parts, size = [[] for _ in range(shards)], 0
    yield parts


def _distinct(entries: Iterable[Entry], files: BodyFiles) -> Iterator[Entry]:
    """Leave out what another shard had, too.

    Raises:
        Damaged: it had it with other bytes.
    """
    last: Entry = b"", b""
    for entry in entries:
        if entry[0] != last[0]:
            yield entry
            last = entry
        elif entry != last and not _alike(last, entry, files):
            raise Damaged(f"message {Id(entry[0])} lies in two shards with different bytes")


def _alike(one: Entry, other: Entry, files: BodyFiles) -> bool:
    """Tell whether two records stand for the same bytes: the limit of large ones may differ."""
    message_id = Id(one[0])
    kept, inline = _read(one), _read(other)
    if inline.file:
        kept, inline = inline, kept
    return kept == inline or files.same(message_id, kept, Body(inline.codec, inline.encoded))


def _read(entry: Entry) -> StoredBody:
    return unpack_body(*entry)
