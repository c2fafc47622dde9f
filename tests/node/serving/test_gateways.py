"""A node of two shards and two gateways, as its clients meet it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from node.demonstration import message_item, process_item
from node.sandbox import Sandbox
from protocol.ids import Id
from protocol.location import location_of
from protocol.message import Message
from protocol.wallet import Wallet
from storage import shard_of
from tests.node.http.replies import message_of
from tests.node.serving.family import Family
from tests.node.serving.living import PATIENCE_SECONDS
from tests.node.serving.nodes import ANS104

BUNDLED = {"accept-bundle": "true"}
LOCATION = "/~scheduler@1.0/location"
MANY = 12
"""Connections after which both gateways have had one, but for one time in two thousand."""


@pytest.fixture(scope="module")
def outside() -> Iterator[Sandbox]:
    """A bundler and a gateway."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def node(
    tmp_path_factory: pytest.TempPathFactory, wallet: Wallet, outside: Sandbox
) -> Iterator[Family]:
    """A node that all tests of this file share."""
    folder = tmp_path_factory.mktemp("node")
    wallet.save(folder / "wallet.json")
    flags = ["--bundler", outside.url, "--gateway", outside.url]
    quick = {"AO_SCHEDULER_GATEWAY_BLOCK_INTERVAL_SECONDS": "0.05"}
    with Family(folder / "data", folder / "wallet.json", *flags, **quick) as started:
        yield started
        assert started.end() == 0


@pytest.fixture
def clients(node: Family) -> Iterator[list[httpx.Client]]:
    """Clients that keep a connection each, so that both gateways have some of them."""
    with ExitStack() as stack:
        yield [stack.enter_context(node.client()) for _ in range(MANY)]


@pytest.fixture
def processes(clients: list[httpx.Client], wallet: Wallet, user_wallet: Wallet) -> list[Id]:
    """A new process of each shard, by number."""
    found: dict[int, Id] = {}
    while len(found) < 2:
        spawn = process_item(user_wallet, wallet.address)
        process = Message.decode(spawn).id
        if shard_of(process, 2) not in found:
            assert post(clients[len(found)], spawn).status_code == 200
            found[shard_of(process, 2)] = process
    return [found[0], found[1]]


def post(client: httpx.Client, item: bytes, **headers: str) -> httpx.Response:
    return client.post("/schedule", content=item, headers={**ANS104, **headers})


@pytest.mark.guarantee("S3")
def test_every_connection_leads_to_every_process(clients, processes, user_wallet) -> None:
    """Messages get the next slot of their process over any connection, and all read the same."""
    for slot, client in enumerate(clients, 1):
        for process in processes:
            reply = post(client, message_item(user_wallet, process, slot))
            assert (reply.status_code, reply.headers["slot"]) == (200, str(slot))
    for process in processes:
        read = {client.get(f"/{process}/schedule?to=5").text for client in clients}
        slots = {client.get(f"/{process}/slot").headers["current"] for client in clients}
        assert (len(read), slots) == (1, {str(MANY)})


@pytest.mark.guarantee("S6")
def test_the_same_message_gets_the_same_slot_from_any_gateway(
    clients, processes, user_wallet
) -> None:
    """Sent at the same moment over all connections, it has one slot."""
    item, slots = message_item(user_wallet, processes[0], 1), []
    threads = [
        threading.Thread(target=lambda to=client: slots.append(post(to, item).headers["slot"]))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert slots == ["1"] * MANY


def test_shards_publish_and_know_the_newest_block(clients, processes, user_wallet, outside) -> None:
    """What the configuration names works in the programs that need it."""
    # The clock of a shard may have begun just now.
    heights = []
    while not heights or not all(heights):
        replies = [
            post(clients[0], message_item(user_wallet, one, 1), confirmation="remote")
            for one in processes
        ]
        assert {reply.status_code for reply in replies} == {200}
        heights = [int(reply.headers["block-height"]) for reply in replies]
    assert json.loads(httpx.get(outside.url + "/control", trust_env=False).text)
    heights = [int(c.get(f"/{processes[0]}/slot").headers["block-height"]) for c in clients]
    assert all(heights)


def test_streams_bring_what_other_gateways_took(clients, processes, user_wallet, node) -> None:
    """An event stream has the slots of its process, whichever gateway and shard it leads to."""
    for process in processes:
        with ExitStack() as stack:
            lines = [
                stack.enter_context(
                    client.stream(
                        "GET", f"/{process}/schedule", headers={"accept": "text/event-stream"}
                    )
                ).iter_lines()
                for client in clients
            ]
            assert {next_event(one) for one in lines} == {"0"}
            with node.client() as other:
                assert post(other, message_item(user_wallet, process, 1)).status_code == 200
            assert {next_event(one) for one in lines} == {"1"}


def test_a_location_is_known_to_every_gateway(clients, wallet) -> None:
    """A record that one gateway takes, each of them has, and nonces go on from any."""
    for nonce, client in enumerate(clients):
        keys = {"type": "scheduler-location", "url": f"https://scheduler{nonce}.example"}
        request = Message.create(keys, wallet).encoded
        assert client.post(LOCATION, content=request, headers=ANS104).status_code == 200
        bundled = [message_of(one.get(LOCATION, headers=BUNDLED))[b"body"] for one in clients]
        told = [location_of(Message.of_tabm(record)) for record in bundled]
        assert {(one.url, one.nonce) for one in told} == {(keys["url"], nonce)}


def test_any_gateway_has_the_numbers_of_all(clients, processes, user_wallet) -> None:
    """Each is there once: what shards did, what gateways answered, where each shard stands."""
    # Streams of other tests are noticed to be over a little later.
    while (before := numbers(clients[0]))["ao_http_requests_open",] != 1:
        pass
    for client in clients:
        for process in processes:
            assert post(client, message_item(user_wallet, process, 1)).status_code == 200
        assert post(client, message_item(user_wallet, process, 1)[:-1]).status_code == 400
    for client in clients:
        # A request counts once its reply has left, which may be after it came.
        while (now := numbers(client))["ao_http_requests_open",] != 1:
            pass
        changed = {key: value - before.get(key, 0) for key, value in now.items()}
        assert changed["ao_signing_seconds_count",] == 2 * MANY
        assert changed["ao_stage_seconds_count", "stored"] == 2 * MANY
        assert changed["ao_http_requests_total", "200", "POST"] == 2 * MANY
        assert changed["ao_http_refusals_total", "invalid_signature"] == MANY
        for shard in ("0", "1"):
            assert now["ao_shard_ready", shard] == 1
            assert now["ao_shard_starts", shard] == 1
        assert now["ao_http_requests_open",] == 1
        assert now["ao_processes",] >= 2


def test_a_node_says_where_each_shard_stands(clients) -> None:
    """Readiness and status show both; health is the whole."""
    for client in clients:
        ready = client.get("/ready")
        assert (ready.status_code, ready.json()["shards"]) == (200, ["ready", "ready"])
        assert client.get("/health").json() == {"status": "well"}
        status = client.get("/~scheduler@1.0/status", headers={"accept": "application/json"})
        assert status.json()["shards"] == ["ready", "ready"]


def test_the_wallet_stands_nowhere(node: Family, wallet: Wallet, tmp_path: Path) -> None:
    """No command line, no variable and no file of a running node has the key, but the wallet."""
    wallet.save(tmp_path / "copy.json")
    secret = json.loads((tmp_path / "copy.json").read_bytes())["d"].encode()
    programs = [node.pid, *node.children]
    assert len(programs) == 5
    for pid in programs:
        for name in ("cmdline", "environ"):
            assert secret not in Path(f"/proc/{pid}/{name}").read_bytes()
    files = [file for at in (node.data, node.temporary) for file in at.rglob("*") if file.is_file()]
    assert len(files) > 10
    for file in files:
        assert secret not in file.read_bytes()


def next_event(lines: Iterator[str]) -> str:
    """The number of the next slot that a stream brings."""
    return next(line for line in lines if line.startswith("id:")).partition(":")[2].strip()


def numbers(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """Samples by name and labels; none is there twice."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.values()))
            assert key not in found
            found[key] = sample.value
    return found
