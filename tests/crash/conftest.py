from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.events import log
from protocol.wallet import Wallet
from tests.crash.load import one_in_each, spawned
from tests.crash.sharded import SHARDS
from tests.crash.telling import Item
from tests.crash.testimony import Testimony
from tests.crash.traps import Traps
from tests.items import message_item, signed_message

PROCESSES = 5
MESSAGES = 25


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="session")
def wallets(wallet: Wallet, user_wallet: Wallet) -> tuple[Wallet, ...]:
    """Two, for there are processes that ask for both."""
    return wallet, user_wallet


@pytest.fixture(scope="session")
def wallet_files(
    wallets: tuple[Wallet, ...], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ...]:
    files = tuple(tmp_path_factory.mktemp("wallet") / "wallet.json" for _ in wallets)
    for wallet, file in zip(wallets, files, strict=True):
        wallet.save(file)
    return files


@pytest.fixture(scope="session")
def items(wallets: tuple[Wallet, ...], user_wallet: Wallet) -> tuple[Item, ...]:
    """A few processes, then messages for each of them in turn, the last of them no data item."""
    spawns = spawned(user_wallet, [wallet.address for wallet in wallets], PROCESSES)
    messages = [
        message_item(user_wallet, spawns[number % PROCESSES].id, number)
        for number in range(MESSAGES)
    ]
    strange = signed_message(user_wallet, spawns[0].id)
    return (
        *spawns,
        *map(Item.of, messages),
        Item.of(strange.encoded, codec=strange.codec),
    )


@pytest.fixture(scope="session")
def one_process(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The first process and its messages."""
    return tuple(item for item in items if item.process == items[0].id)


@pytest.fixture
def testimony(root: Path) -> Testimony:
    return Testimony(root)


@pytest.fixture
def traps(tmp_path: Path) -> Iterator[Traps]:
    """Traps for the shards of this test."""
    traps = Traps(tmp_path / "traps")
    yield traps
    traps.close()


@pytest.fixture
def spawns(wallets: tuple[Wallet, ...], user_wallet: Wallet) -> tuple[Item, ...]:
    """A process in each shard, by number."""
    return one_in_each(SHARDS, user_wallet, wallets[0].address)


@pytest.fixture
def warned() -> Iterator[Callable[[], str]]:
    """What this program writes from the warning level on, as one text."""
    told = io.StringIO()
    log.configure("warning", told)
    yield told.getvalue
    log.configure("quiet")
