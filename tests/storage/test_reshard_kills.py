"""Resharding is killed: with SIGKILL, anywhere, and as often as it takes."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from protocol.errors import StoreInvalid
from storage import open_writer, stored_shards
from storage.reshard import Outcome, Step, reshard
from storage.unfinished import load_plan
from tests.storage.programs import Program, run
from tests.storage.resharding import LARGE, Content, content, copy_of, require_whole

SEED = int(os.environ["AO_CRASH_SEED"])
"""Another one for each run. In the name of the test; give it again to repeat the same plan."""

WAYS = [(1, 4), (4, 2), (2, 1)]

AT_ONCE = 25
"""Stores that one program has its children killed in."""

CHILDREN = """
import sys
from tests.storage.reshard_child import main
main(int(sys.argv[1]), *sys.argv[2:])
"""

TELLING = """
import sys
from storage.reshard import messages, records, reshard
from tests.storage.resharding import LARGE
records.BATCH_BYTES = messages.BATCH_BYTES = 3000

def announce(step, done, total):
    print(step.value, flush=True)

reshard(sys.argv[1], int(sys.argv[2]), workers=0, settings=LARGE, announce=announce)
print("done", flush=True)
input()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where that exists: being killed loses nothing that was written."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else tmp_path
    made = Path(tempfile.mkdtemp(dir=place))
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}to{way[1]}")
def way(request: pytest.FixtureRequest, many: Path, folder: Path) -> tuple[Path, int]:
    """A store to be copied, and the number of shards that it is to have."""
    before, after = request.param
    store = copy_of(many, folder / "original")
    reshard(store, before, workers=0)
    return store, after


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5")
def test_killed_at_every_step(way: tuple[Path, int], folder: Path) -> None:
    """Killed as any step begins, the store is whole, and the same command finishes."""
    original, shards = way
    require_all_finish(original, shards, [step.value for step in Step], folder)


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5")
@pytest.mark.parametrize(
    ("points", "seed"), [(25, SEED), pytest.param(10_000, SEED, marks=pytest.mark.slow)]
)
def test_killed_at_random_requests(
    way: tuple[Path, int], folder: Path, points: int, seed: int
) -> None:
    """Killed before any request to the system, the store is whole, and the same command finishes.

    The requests are commits, syncs, renames, links and removals: what happens in between is in
    memory only. Run as a slow test, it is killed before each of them.
    """
    original, shards = way
    undisturbed = copy_of(original, folder / "undisturbed")
    requests = int(run(CHILDREN, shards, undisturbed, "0").split()[0])
    assert requests > 100
    chosen = random.Random(seed).sample(range(1, requests + 1), min(points, requests))
    require_all_finish(original, shards, list(map(str, chosen)), folder)


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5")
@pytest.mark.parametrize("seed", [SEED])
def test_killed_again_and_again(many: Path, folder: Path, seed: int) -> None:
    """Killed at moments nobody chose, time after time, it comes to its end and loses nothing."""
    store = copy_of(many, folder / "store")
    expected = content(store)
    chance = random.Random(seed)
    for shards in (4, 2, 1):
        for _ in range(3):
            with Program(TELLING, store, shards) as program:
                for _ in range(chance.randrange(1, 40)):
                    if program.line() == "done":
                        break
            require_half_way(store, shards, expected)
        reshard(store, shards, workers=0)
        require_whole(store, shards, expected)


def require_all_finish(original: Path, shards: int, points: Sequence[str], folder: Path) -> None:
    """Kill one attempt at each point, look at what it left, and finish."""
    expected = content(original)
    for some in (points[start : start + AT_ONCE] for start in range(0, len(points), AT_ONCE)):
        stores = [copy_of(original, folder / f"at-{point}") for point in some]
        pairs = zip(stores, some, strict=True)
        said = run(CHILDREN, shards, *(part for pair in pairs for part in pair))
        assert said.split() == ["SIGKILL"] * len(some)
        for store in stores:
            require_half_way(store, shards, expected)
            assert reshard(store, shards, workers=0) in (Outcome.DONE, Outcome.NOTHING)
            require_whole(store, shards, expected)
            shutil.rmtree(store)


def require_half_way(store: Path, shards: int, expected: Content) -> None:
    """Check what an attempt left: a whole store, which is not written to while it is unfinished."""
    assert content(store) == expected
    for number in {stored_shards(store) or 0, shards}:
        if load_plan(store) is None and number == stored_shards(store):
            open_writer(store, shards=number, settings=LARGE).close()
        else:
            with pytest.raises(StoreInvalid, match="ao-scheduler reshard --shards"):
                open_writer(store, shards=number)
