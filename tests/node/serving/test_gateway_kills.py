"""Programs of a node that are killed under load, one after the other, in every mode."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from storage import open_readers, shard_of
from tests.auditor import audit
from tests.node.serving.family import Family, kill
from tests.node.serving.nodes import Load

ROUNDS = ("gateway", "shard", "shard", "gateway", "parent", "shard", "gateway")
"""Who is killed, in each of three modes. Fewer than five of one program between two starts of
the node, or it would end for that."""

MESSAGES = 10
"""That are answered before the kill, and after it, for each process."""


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S13")
@pytest.mark.parametrize("mode", ["aggressive", "local_confirmation", "remote_confirmation"])
def test_whoever_is_killed_no_answer_is_lost(
    tmp_path: Path, wallet: Wallet, user_wallet: Wallet, mode: str
) -> None:
    """Service goes on after each kill; at the end the store is sound and has every answer."""
    wallet.save(tmp_path / "wallet.json")
    chance, data = random.Random(mode), tmp_path / "data"
    loads = of_each_shard(user_wallet, wallet)
    node = Family(data, tmp_path / "wallet.json", "--mode", mode)
    try:
        for load in loads:
            with node.client() as client:
                load.spawn(client)
        for victim in ROUNDS:
            ended = busy(node, loads)
            if victim == "parent":
                node.end(signal.SIGKILL)
                node.__exit__()
                node = Family(data, tmp_path / "wallet.json", "--mode", mode)
            else:
                kill(chance.choice(node.gateways if victim == "gateway" else node.shards))
            # New clients: those of a killed gateway are gone.
            ended += busy(node, loads)
            for load in loads:
                load.rest()
            for wait in ended:
                wait()
            node.wait_for_gateways(2)
        assert node.end() == 0
    finally:
        node.__exit__()
    with open_readers(data) as reader:
        audit(reader, unique=True)
    for load in loads:
        assert len(set(load.acknowledged.values())) == len(load.acknowledged)
        assert load.lost(data) == []


def busy(node: Family, loads: list[Load]) -> list:
    """Keep a node busy; return what waits for the end of that, once some more is answered."""
    ended = [load.run(node, 2) for load in loads]
    for load in loads:
        load.wait_for(len(load.acknowledged) + MESSAGES)
    return ended


def of_each_shard(user: Wallet, scheduler: Wallet) -> list[Load]:
    """Messages for a process in each of two shards."""
    found: dict[int, Load] = {}
    while len(found) < 2:
        load = Load(user, scheduler.address)
        found.setdefault(shard_of(load.process, 2), load)
    return list(found.values())
