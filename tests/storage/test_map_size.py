"""Address space: doubled at the next start once it did not suffice, less where it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import Fenced
from storage import Batch, Body, StoreSettings, open_reader, open_writer
from tests.storage.programs import run
from tests.storage.schedules import Schedule

TINY = StoreSettings(map_size=1 << 20)

LITTLE_ADDRESS_SPACE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
from storage import open_reader, open_writer
from tests.storage.schedules import Schedule

schedule = Schedule()
with open_writer(sys.argv[1]) as journal:
    journal.append(schedule.stored(2))
    assert journal.environment.map_size < 8 << 30
with open_reader(sys.argv[1]) as reader:
    assert reader.latest(schedule.process).slot == 1
print("fine")
"""


@pytest.mark.guarantee("S4")
def test_a_map_that_is_too_small_is_doubled_at_the_next_start(root: Path) -> None:
    """A batch that does not fit is fenced and lands nowhere; after reopening there is room."""
    schedule = Schedule()
    with open_writer(root, settings=TINY) as journal:
        journal.append(schedule.stored(1))
        large = [schedule.pin(body=Body("ans104", bytes(800_000))) for _ in range(2)]
        with pytest.raises(Fenced, match="outgrew its map"):
            journal.append(Batch(pins=large))
    with open_writer(root, settings=TINY) as journal:
        assert journal.environment.map_size == 2 << 20
        assert journal.head(schedule.process).pinned == 0
        journal.append(Batch(pins=large))
    with open_writer(root, settings=TINY) as journal:
        assert [journal.body(m) for m in schedule.messages[1:]] == [pin.body for pin in large]
    with open_reader(root) as reader:
        assert reader.head(schedule.process).pinned == 2


def test_less_address_space_is_enough_to_start(root: Path) -> None:
    """Where the system does not grant a tebibyte of address space, the store takes less."""
    assert run(LITTLE_ADDRESS_SPACE, root).strip() == "fine"


def test_a_store_takes_little_of_the_disk(root: Path) -> None:
    """The address space is sparse: a new store is small on disk."""
    open_writer(root).close()
    blocks = sum(path.stat().st_blocks for path in root.rglob("*"))
    assert blocks * 512 < 1 << 20


def test_who_writes_maps_no_more_than_it_looks_at(tmp_path: Path) -> None:
    """Of a store of many processes the system reads nothing ahead for it, and does for readers."""
    with open_writer(tmp_path / "store") as journal:
        assert not journal.environment.flags["readahead"]
    with open_reader(tmp_path / "store") as reader:
        assert reader.environment.flags["readahead"]
