"""A store whose programs are killed under load, again and again, at moments nobody chose."""

from __future__ import annotations

import faulthandler
import os
from pathlib import Path

import pytest

from protocol.wallet import Wallet
from tests.crash.load import Load
from tests.crash.program import Program
from tests.crash.recovery import recover
from tests.crash.telling import Job, Opening
from tests.crash.testimony import Testimony

SEED = int(os.environ["AO_CRASH_SEED"])
"""Another one for each run. In the name of the test; give it again to repeat the same plan."""

IN_FLIGHT = 16


@pytest.mark.guarantee("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S13")
@pytest.mark.parametrize(
    ("rounds", "seed"), [(20, SEED), pytest.param(200, SEED, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments(
    rounds: int,
    seed: int,
    testimony: Testimony,
    wallets: tuple[Wallet, ...],
    user_wallet: Wallet,
    wallet_files: tuple[Path, ...],
) -> None:
    """However often its programs are killed under load, all that any of them said holds."""
    # The watch over tests that hang: this one lasts, and programs that hang are found out here.
    faulthandler.cancel_dump_traceback_later()
    load = Load(seed, user_wallet, [wallet.address for wallet in wallets])
    for _ in range(rounds):
        job = Job(testimony.root, wallet_files, load.next_round(), IN_FLIGHT, again=True)
        with Program(job, testimony.root.parent) as program:
            program.wait_for(Opening)
            program.listen_for(load.lifetime())
        testimony.hear(program.records)
        testimony.judge()
    recover(testimony, wallets, load.items)
