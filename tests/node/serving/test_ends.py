"""How a node ends, and what it owes to those it has answered."""

from __future__ import annotations

import signal
import stat
from pathlib import Path

import httpx
import pytest

from protocol.wallet import Wallet
from storage import open_writer
from tests.node.serving.nodes import Load, NodeProgram, refusal


@pytest.mark.guarantee("S4", "L1")
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_node_that_is_told_to_end_loses_nothing(
    tmp_path: Path, file: Path, load: Load, by: signal.Signals
) -> None:
    """Under load it answers what it took, ends with success, and the store holds every answer."""
    with NodeProgram(tmp_path / "data", file) as node:
        with node.client() as client:
            load.spawn(client)
        ended = load.run(node)
        load.wait_for(40)
        assert node.end(by) == 0
        ended()
    assert load.refusals == []
    assert load.lost(tmp_path / "data") == []


@pytest.mark.guarantee("S1", "S2", "S4")
def test_a_node_that_is_killed_loses_nothing(tmp_path: Path, file: Path, load: Load) -> None:
    """Killed under load, again and again, it comes back with every slot it has acknowledged."""
    data = tmp_path / "data"
    for round_ in range(3):
        with NodeProgram(data, file) as node:
            with node.client() as client:
                assert client.get("/health").status_code == 200
                if round_ == 0:
                    load.spawn(client)
            known = len(load.acknowledged)
            ended = load.run(node)
            load.wait_for(known + 25)
            node.end(signal.SIGKILL)
            ended()
    with NodeProgram(data, file) as node, node.client() as client:
        ready_of(client)
        slot = client.get(f"/{load.process}/slot").headers["current"]
        assert int(slot) >= max(load.acknowledged.values())
        assert node.end() == 0
    assert load.refusals == []
    assert load.lost(data) == []


def ready_of(client: httpx.Client) -> None:
    while client.get("/ready").status_code != 200:
        pass


def test_streams_end_with_the_node(tmp_path: Path, file: Path, load: Load) -> None:
    """An open event stream does not hold up the end."""
    with NodeProgram(tmp_path / "data", file) as node, node.client() as client:
        load.spawn(client)
        accept = {"accept": "text/event-stream"}
        address = f"/{load.process}/schedule"
        with client.stream("GET", address, headers=accept) as reply:
            lines = reply.iter_lines()
            assert next(line for line in lines if line.startswith("id:"))
            with node.client() as other:
                assert other.get("/ready").status_code == 200
            # Ending waits for the stream, and the stream ends because of it.
            assert node.end() == 0


def test_a_wallet_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """A node without a wallet makes one that nobody else can read."""
    file = tmp_path / "wallet.json"
    with NodeProgram(tmp_path / "data", file) as node:
        assert node.end() == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Wallet.load(file).address


@pytest.mark.parametrize("layout", [["--shards", "0"], ["--shards", "1"]], ids=["one", "several"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "error: server.port (from --port): "),
        (["--http3"], "error: server.http3 needs "),
        (["--tls-certificate", "no.pem", "--tls-key", "no.pem"], "error: server.tls_certificate "),
        (["--bundler", "nonsense"], "error: bundler.url: "),
        (["--set", "server.host=256.0.0.1"], "error: 256.0.0.1: "),
    ],
)
def test_a_node_that_cannot_start_says_why(
    tmp_path: Path, file: Path, layout: list[str], arguments: list[str], told: str
) -> None:
    """What stops it is one line."""
    assert refusal(tmp_path / "data", file, *layout, *arguments).startswith(told)


def test_a_store_keeps_its_number_of_shards(tmp_path: Path, file: Path) -> None:
    """Another number is refused in one line, which says how to change it."""
    open_writer(tmp_path / "data", shards=2).close()
    for shards in ("0", "1", "3"):
        told = refusal(tmp_path / "data", file, "--shards", shards)
        assert "ao-scheduler reshard --shards" in told
