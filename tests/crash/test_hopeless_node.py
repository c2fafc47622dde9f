"""A node one of whose shards does not keep running."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from storage.layout import Layout
from storage.lock import recorded_holder
from tests.crash.recovery import recover
from tests.crash.testimony import Testimony
from tests.node.serving.family import kill
from tests.sources import ROOT

LIMIT = 5
"""Restarts of one program within a minute."""


@pytest.mark.slow
@pytest.mark.guarantee("L1")
def test_a_node_whose_shard_does_not_keep_running_ends_with_a_reason(
    testimony: Testimony, wallets: tuple[Wallet, ...], wallet_files: tuple[Path, ...]
) -> None:
    """Past the limit of restarts it exits with code 1 and one line, and its store is sound."""
    shared = ["--data", str(testimony.root), "--wallet", str(wallet_files[0])]
    command = ["serve", "--port", "0", "--shards", "2", *shared, "--log-level", "quiet"]
    with subprocess.Popen(
        [sys.executable, "-m", "node.cli", *command],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdout.readline().startswith("listening on ")
        killed: set[int] = set()
        pause = threading.Event()
        while node.poll() is None:
            pause.wait(0.01)
            shard = recorded_holder(Layout(testimony.root).lock(1))
            if shard is not None and shard not in killed:
                killed.add(shard)
                kill(shard)
        told = node.stderr.read()
    assert node.returncode == 1
    assert told.startswith(f"error: shard 1 ended {LIMIT + 1} times; ")
    assert told.count("\n") == 1
    assert len(killed) == LIMIT + 1
    recover(testimony, wallets, [])
