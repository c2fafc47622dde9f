"""Opening a node: everything that the configuration names, and closing it again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from actors import Stage
from actors.blocks import OfflineBlockClock
from node.config import Config, ConfigInvalid
from node.demonstration import message_item, process_item
from node.running import open_node
from node.sandbox import Sandbox
from protocol.errors import StoreInUse, WalletError
from protocol.wallet import Wallet


@pytest.fixture
def configured(tmp_path: Path, wallet: Wallet):
    """Make configurations of a store and a wallet of one's own."""
    wallet.save(tmp_path / "wallet.json")

    def config(**sections) -> Config:
        store = {"data": tmp_path / "data", "wallets": [tmp_path / "wallet.json"]}
        return Config(**{**sections, "store": {**store, **sections.get("store", {})}})

    return config


def test_the_defaults_need_nobody(configured, user_wallet: Wallet, wallet: Wallet) -> None:
    """Without a bundler and a gateway a node schedules, and publishes into its own folder."""
    config = configured()
    with open_node(config) as node:
        item = process_item(user_wallet, wallet.address)
        spawned = node.scheduler.assign(item, Stage.PUBLISHED)
        assert node.operator.address == wallet.address
        assert isinstance(node.blocks, OfflineBlockClock)
        assert node.scheduler.receipt(spawned.process, 0) is not None
    published = config.store.data / "published"
    assert [file for file in published.rglob("*") if file.is_file()]


def test_a_bundler_and_a_gateway_are_used(configured, user_wallet: Wallet, wallet: Wallet) -> None:
    """What is configured is published to, and asked for the newest block."""
    with Sandbox() as sandbox:
        config = configured(
            bundler={"url": sandbox.url},
            gateway={"url": sandbox.url, "block_interval_seconds": 0.05},
            scheduling={"mode": "remote_confirmation"},
        )
        with open_node(config) as node:
            while not node.blocks.latest().height:
                pass
            spawned = node.scheduler.assign(process_item(user_wallet, wallet.address))
            receipt = node.scheduler.receipt(spawned.process, 0)
            assert spawned.block.height > 0
            assert receipt is not None


def test_several_wallets_sign(configured, tmp_path: Path, user_wallet: Wallet) -> None:
    """Each process is signed by the wallet that it names; the first is the operator's."""
    second = Wallet.generate()
    second.save(tmp_path / "second.json")
    wallets = [tmp_path / "wallet.json", tmp_path / "second.json"]
    with open_node(configured(store={"wallets": wallets})) as node:
        spawned = node.scheduler.assign(process_item(user_wallet, second.address))
        assert [made.committer for made in spawned.commitments] == [second.address]
        assert node.operator.address != second.address


def test_the_operators_wallet_is_made(configured, tmp_path: Path) -> None:
    """The first wallet is created, for its owner's eyes only; a second one must be there."""
    made, missing = tmp_path / "new.json", tmp_path / "none.json"
    with open_node(configured(store={"wallets": [made]})) as node:
        assert Wallet.load(made).address == node.operator.address
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    with (
        pytest.raises(WalletError, match=r"none\.json"),
        open_node(configured(store={"wallets": [made, missing]})),
    ):
        pass
    assert not missing.exists()


def test_defaults_of_new_processes_are_the_configured_ones(
    configured, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Chain rule and commitment device hold for processes that ask for none."""
    wanted = {"chain": "base-hashpath", "commitment_device": "httpsig@1.0"}
    with open_node(configured(scheduling=wanted)) as node:
        spawned = node.scheduler.assign(process_item(user_wallet, wallet.address))
        terms = node.scheduler.terms(spawned.process)
        assert (terms.chain, terms.device) == ("base-hashpath", "httpsig@1.0")


def test_a_disabled_node_reads_what_another_one_wrote(
    configured, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A disabled node opens a store for reading, and needs no cache in it."""
    with open_node(configured()) as writer:
        process = writer.scheduler.assign(process_item(user_wallet, wallet.address)).process
        writer.scheduler.assign(message_item(user_wallet, process, 1))
    with open_node(configured(scheduling={"mode": "disabled"})) as reader:
        assert reader.scheduler.slot(process) == 1


def test_a_store_has_one_node(configured) -> None:
    """A second node on the same store is refused, and the first goes on."""
    with open_node(configured()) as first:
        with pytest.raises(StoreInUse), open_node(configured()):
            pass
        assert not first.scheduler.closed
        assert first.scheduler.processes() == []


@pytest.mark.parametrize(
    "sections",
    [
        {"bundler": {"url": "ftp://b.example"}},
        {"bundler": {"url": "https://b.example/?key=password"}},
        {"gateway": {"url": "nonsense"}},
        {"peers": {"notify": ["https://user:password@p.example"]}},
    ],
)
def test_addresses_that_cannot_be_asked_are_refused(configured, sections) -> None:
    """A URL that no request could go to is found when the node is opened, and not repeated."""
    with pytest.raises(ConfigInvalid) as refused, open_node(configured(**sections)):
        pass
    assert refused.value.detail.startswith(f"{next(iter(sections))}.")
    assert "password" not in str(refused.value)
