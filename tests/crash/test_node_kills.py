"""A node of several programs, one of which is killed under load, again and again."""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from storage import open_readers
from storage.verify import verify_store
from tests.actors.shards.lines import until
from tests.crash.clients import Clients
from tests.crash.load import PROCESSES, Load
from tests.crash.recovery import recover
from tests.crash.telling import Item
from tests.crash.testimony import Testimony
from tests.node.serving.family import Family, kill, wait_for_end

SEED = int(os.environ["AO_CRASH_SEED"])
"""Another one for each run. In the name of the test; give it again to repeat the same plan."""

VICTIMS = ("shard", "gateway", "shard", "gateway", "shard", "gateway", "parent")
"""In turn. No program of a node is killed more often than it is started again."""

ROUNDS = 20
"""By default: each of the three dies several times over one store."""


class Node:
    """A node on one store, of which something is killed.

    Attributes:
        clients: know where it listens.
    """

    def __init__(self, root: Path, wallet: Path, temporary: Path, load: Load) -> None:
        self.clients = Clients()
        self._start = lambda: Family(root, wallet, TMPDIR=str(temporary))
        self._random = load.random
        self._family = self._start()
        self.clients.url = self._family.url

    def kill(self, victim: str) -> None:
        """Kill one of its programs; one that nobody starts again is started at once."""
        running = self._family.children
        if victim == "parent":
            self._family.end(signal.SIGKILL)
            self._family = self._start()
            self.clients.url = self._family.url
            wait_for_end(running)
        else:
            shards = set(self._family.shards)
            kinds = {"shard": shards.intersection(running), "gateway": set(running) - shards}
            kill(self._random.choice(sorted(kinds[victim])))

    def end(self) -> int:
        """End it in good order; return its exit code."""
        return self._family.end()

    def close(self) -> None:
        """Leave nothing of it running."""
        self._family.__exit__()
        self.clients.close()


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where a node that is killed leaves its sockets."""
    folder = Path(tempfile.mkdtemp(prefix="ao-"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5", "S6", "S13", "L1", "L3")
@pytest.mark.parametrize(
    ("rounds", "seed"), [(ROUNDS, SEED), pytest.param(100, SEED, marks=pytest.mark.slow)]
)
def test_a_node_keeps_its_word_whatever_is_killed(
    rounds: int,
    seed: int,
    testimony: Testimony,
    wallets: tuple[Wallet, ...],
    user_wallet: Wallet,
    wallet_files: tuple[Path, ...],
    temporary: Path,
) -> None:
    """Shards, gateways and parent are killed in turn; all that clients were told holds."""
    # The watch over tests that hang: this one lasts, and what hangs is found out here.
    faulthandler.cancel_dump_traceback_later()
    load = Load(seed, user_wallet, [wallets[0].address], over_http=True)
    with closing(Node(testimony.root, wallet_files[0], temporary, load)) as node:
        for victim in islice(cycle(VICTIMS), rounds):
            play(load.next_round(), victim, node, testimony, load)
        assert node.end() == 0
    recover(testimony, wallets[:1], load.items)


def play(
    items: tuple[Item, ...], victim: str, node: Node, testimony: Testimony, load: Load
) -> None:
    """Post items, kill something meanwhile, wait for the answers, and look at the store."""
    testimony.hear(node.clients.post_all(items[:PROCESSES])())
    answers = node.clients.post_all(items[PROCESSES:])
    node.clients.wait_for(load.random.randrange(len(items) - PROCESSES))
    node.kill(victim)
    testimony.hear(answers())
    wait_until_done(testimony.root)
    testimony.judge()
    report = verify_store(testimony.root, workers=0)
    assert report.ok, "\n".join(map(str, report.problems))


def wait_until_done(root: Path) -> None:
    """Wait until all that was pinned is signed and published."""
    with open_readers(root) as reader:
        until(lambda: not list(reader.work()))
