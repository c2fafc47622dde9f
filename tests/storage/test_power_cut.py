"""What survives a power cut is decided by flags and by the order of requests to the system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage import Batch, Body, LmdbJournal, StoreSettings, open_reader, open_writer
from tests.storage.schedules import Schedule

LARGE = StoreSettings(large_body=1000)


@pytest.mark.guarantee("S4")
def test_every_commit_is_synced(journal: LmdbJournal) -> None:
    """The environment is open with both syncs on, and without writing through the map."""
    flags = journal.environment.flags
    assert flags["sync"]
    assert flags["metasync"]
    assert not flags["writemap"]
    assert not flags["map_async"]


def test_a_reader_cannot_write(root: Path) -> None:
    """What reads is open read-only."""
    open_writer(root).close()
    with open_reader(root) as reader:
        assert reader.environment.flags["readonly"]


class Recorder:
    """Notes what is asked of the system, with names instead of descriptors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[tuple[str, str]] = []
        self._names: dict[int, str] = {}
        opened, written, synced, renamed = os.open, os.write, os.fsync, os.rename

        def open_(path, flags, mode=0o777):
            descriptor = opened(path, flags, mode)
            self._names[descriptor] = Path(path).name
            return descriptor

        def write(descriptor, content):
            self.requests.append(("write", self._names[descriptor]))
            return written(descriptor, content)

        def fsync(descriptor):
            self.requests.append(("fsync", self._names[descriptor]))
            return synced(descriptor)

        def rename(source, target):
            self.requests.append(("rename", f"{Path(source).name} {Path(target).name}"))
            return renamed(source, target)

        for name, request in [("open", open_), ("write", write), ("fsync", fsync)]:
            monkeypatch.setattr(os, name, request)
        monkeypatch.setattr(os, "rename", rename)


@pytest.mark.guarantee("S4")
def test_a_large_message_is_durable_before_its_record(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is written, synced, named and its folder synced, in this order, before the pin."""
    schedule = Schedule()
    with open_writer(root, settings=LARGE) as journal:
        pin = schedule.pin(body=Body("ans104", os.urandom(5000)))
        journal.keep_body(schedule.process, Body("ans104", b"small"))
        recorder = Recorder(monkeypatch)
        journal.keep_body(schedule.process, pin.body)
        (file,) = (root / "shard-000" / "bodies").glob("*/*")
        folder = file.parent.name
        unfinished = recorder.requests[2][1]
        assert recorder.requests == [
            ("fsync", "bodies"),
            ("write", unfinished),
            ("fsync", unfinished),
            ("rename", f"{unfinished} {file.name}"),
            ("fsync", folder),
        ]
        journal.append(Batch(pins=[pin]))
        assert journal.body(schedule.process) == pin.body


@pytest.mark.guarantee("S4")
def test_a_large_message_that_is_there_is_synced_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second thread with the same message does not rely on the first one's unfinished sync."""
    schedule = Schedule()
    body = Body("ans104", os.urandom(5000))
    with open_writer(root, settings=LARGE) as journal:
        journal.keep_body(schedule.process, body)
        recorder = Recorder(monkeypatch)
        journal.keep_body(schedule.process, body)
        assert recorder.requests == [("fsync", str(schedule.process)[:2])]


@pytest.mark.guarantee("S4")
def test_a_new_store_is_durable_before_it_is_used(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files before the names of their folders, the shard before the manifest."""
    recorder = Recorder(monkeypatch)
    open_writer(root).close()
    requests = [what for what in recorder.requests if "write" not in what]
    order = [
        ("fsync", "data.mdb"),
        ("fsync", "shard-000.creating"),
        ("rename", "shard-000.creating shard-000"),
        ("fsync", root.name),
    ]
    places = [requests.index(request, 1) for request in order]
    assert places == sorted(places)
    manifest = next(i for i, (_, names) in enumerate(requests) if names.endswith("manifest.json"))
    assert requests[manifest + 1] == ("fsync", root.name)
    assert manifest > places[-1]
