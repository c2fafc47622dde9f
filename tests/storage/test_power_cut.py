"""What survives a power cut is decided by flags and by the order of requests to the system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage import Batch, Body, LmdbJournal, StoreSettings, open_reader, open_writer
from storage.reshard import reshard
from tests.storage.recorder import Recorder
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


@pytest.mark.guarantee("S4")
def test_new_shards_are_durable_before_they_are_used(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan before the new shards, files and names before the manifest, and all before removal.

    What is recorded in between are commits, which are synced like any other.
    """
    recorder = Recorder(monkeypatch)
    reshard(store, 2, workers=0)
    requests = recorder.requests
    synced = ("fsync", store.name)
    plans = _all(requests, "rename", "resharding.json")
    manifests = _all(requests, "rename", "manifest.json")
    links = _all(requests, "link")
    (planned, verified), (_, replaced) = plans, manifests
    for place in (planned, verified, replaced):
        assert requests[place + 1] == synced
    assert planned < requests.index(("fsync", "shard-000.creating"))
    assert max(links) < verified < replaced
    for place in links:
        assert ("fsync", requests[place][1][:2]) in requests[place:verified]
    assert _all(requests, "unlink", "data.mdb")[0] > replaced
    assert requests[-2:] == [("unlink", "resharding.json"), synced]


def _all(requests: list[tuple[str, str]], what: str, ending: str = "") -> list[int]:
    """Return the places of all requests of a kind whose last name ends so."""
    return [
        place
        for place, (kind, names) in enumerate(requests)
        if kind == what and names.endswith(ending)
    ]
