from __future__ import annotations

from pathlib import Path

import pytest

from protocol.message import Message
from protocol.wallet import Wallet
from tests.crash.telling import Item
from tests.crash.testimony import Testimony
from tests.items import message_item, process_item

PROCESSES = 3
MESSAGES = 21


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="session")
def wallet_file(wallet: Wallet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("wallet") / "wallet.json"
    wallet.save(file)
    return file


@pytest.fixture(scope="session")
def items(wallet: Wallet, user_wallet: Wallet) -> tuple[Item, ...]:
    """A few processes, then messages for each of them in turn."""
    spawns = [process_item(user_wallet, wallet.address, Name=str(n)) for n in range(PROCESSES)]
    processes = [Message.decode(spawn).id for spawn in spawns]
    messages = [
        message_item(user_wallet, processes[number % PROCESSES], number)
        for number in range(MESSAGES)
    ]
    return tuple(map(Item.of, (*spawns, *messages)))


@pytest.fixture(scope="session")
def one_process(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The first process and its messages."""
    return tuple(item for item in items if item.process == items[0].id)


@pytest.fixture
def testimony(root: Path) -> Testimony:
    return Testimony(root)
