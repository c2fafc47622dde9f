"""What is counted, and what those who look after a node are told."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors import Scheduler
from node.config import Config
from node.demonstration import message_item, process_item
from node.metrics import Metrics
from node.metrics.recovery import Recovery
from node.metrics.standing import MEANINGS
from node.running import open_node
from node.serving.service import guarded
from protocol.message import Message
from protocol.wallet import Wallet

ROOT = Path(__file__).resolve().parents[3]
ANS104 = {"content-type": "application/ans104", "codec-device": "ans104@1.0"}


class Numbers(dict):
    """Samples by name and labels."""

    def __init__(self, text: str) -> None:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self[sample.name, *sorted(sample.labels.values())] = sample.value


@pytest.fixture
def node(tmp_path: Path, wallet: Wallet):
    """An open node with the embedded defaults."""
    wallet.save(tmp_path / "wallet.json")
    store = {"data": tmp_path / "data", "wallets": [tmp_path / "wallet.json"]}
    with open_node(Config(store=store)) as opened:
        yield opened


@pytest.fixture
def ask(node):
    """Send requests to the node's application behind its limits."""
    app = guarded(node)
    transport = httpx.ASGITransport(app)

    async def send(method: str, address: str, **options) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.request(method, address, **options)

    with asyncio.Runner() as runner:
        yield lambda *request, **options: runner.run(send(*request, **options))


def test_steps_and_requests_are_counted(ask, user_wallet: Wallet, wallet: Wallet) -> None:
    """Each stage, commit, signature, upload, request and refusal is in the numbers."""
    spawn = process_item(user_wallet, wallet.address)
    process = Message.decode(spawn).id
    published = {"confirmation": "remote", **ANS104}
    assert ask("POST", "/schedule", content=spawn, headers=published).status_code == 200
    message = message_item(user_wallet, process, 1)
    assert ask("POST", "/schedule", content=message, headers=published).status_code == 200
    assert ask("POST", "/schedule", content=message[:-1], headers=ANS104).status_code == 400
    assert ask("POST", "/", headers={"content-encoding": "gzip"}).status_code == 415
    assert ask("GET", f"/processes/{process}0").status_code == 400

    numbers = Numbers(ask("GET", "/metrics").text)
    for stage in ("assigned", "stored", "published"):
        assert numbers["ao_stage_seconds_count", stage] == 2
    assert numbers["ao_signing_seconds_count",] == 2
    assert numbers["ao_commit_seconds_count",] == numbers["ao_commit_records_count",] > 0
    # A pin, a commitment and a receipt for each of two slots.
    assert numbers["ao_commit_records_sum",] >= 6
    assert numbers["ao_uploads_total", "acknowledged"] >= 2
    assert numbers["ao_http_requests_total", "200", "POST"] == 2
    assert numbers["ao_http_requests_total", "415", "POST"] == 1
    assert numbers["ao_http_refusals_total", "unsupported_content_encoding"] == 1
    assert numbers["ao_http_refusals_total", "invalid_signature"] == 1
    assert numbers["ao_http_refusals_total", "invalid_id"] == 1
    assert numbers["ao_processes",] == 1
    assert numbers["ao_slots_not_stored",] == 0
    assert numbers["ao_http_requests_open",] == 1


def test_what_the_bundler_lacks_is_counted_in_slots(
    tmp_path: Path, user_wallet: Wallet, wallet: Wallet
) -> None:
    """The gap between what is stored and what is published is a number of slots."""
    release = threading.Event()

    class Holding:
        def upload(self, items):
            release.wait(30)
            return ["kept"] * len(items)

    metrics = Metrics()
    with Scheduler.open(
        tmp_path / "data", wallet, uploader=Holding(), observer=metrics.observer
    ) as scheduler:
        metrics.watch(scheduler)
        process = scheduler.assign(process_item(user_wallet, wallet.address)).process
        for number in range(3):
            scheduler.assign(message_item(user_wallet, process, number))
        held = Numbers(metrics.exposition().decode())["ao_slots_not_published",]
        release.set()
        assert held == 4


def test_a_closed_scheduler_still_has_numbers(tmp_path: Path, wallet: Wallet) -> None:
    """Somebody who looks at what went wrong gets what is known in memory."""
    metrics = Metrics()
    with Scheduler.open(tmp_path / "data", wallet) as scheduler:
        metrics.watch(scheduler)
    numbers = Numbers(metrics.exposition().decode())
    assert numbers["ao_fenced",] == 0
    assert ("ao_processes",) not in numbers


def test_clients_cannot_make_up_metrics(ask) -> None:
    """Methods that nobody knows count together."""
    for number in range(3):
        ask(f"MADE-UP-{number}", "/health")
    numbers = Numbers(ask("GET", "/metrics").text)
    assert not [key for key in numbers if any("MADE-UP" in str(part) for part in key)]
    assert (
        sum(value for key, value in numbers.items() if "other" in key and "_total" in key[0]) == 3
    )


def test_health_and_readiness(ask, node) -> None:
    """An open node is well and ready; a closed one is neither, and says so."""
    assert (ask("GET", "/health").json(), ask("GET", "/ready").json()) == (
        {"status": "well"},
        {"status": "ready", "shards": ["ready"]},
    )
    node.scheduler.close()
    assert (ask("GET", "/health").status_code, ask("GET", "/ready").status_code) == (503, 503)


def test_a_node_is_not_ready_while_it_recovers(
    tmp_path: Path, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Slots that a crash left unsigned are signed before the node calls itself ready."""
    with Scheduler.open(tmp_path / "data", wallet) as scheduler:
        process = scheduler.assign(process_item(user_wallet, wallet.address)).process

    release = threading.Event()

    class Slow:
        def sign(self, signer: Wallet, data: bytes, *scheme) -> bytes:
            release.wait(30)
            return signer.sign(data, *scheme)

    with Scheduler.open(tmp_path / "data", wallet, signer=Slow()) as scheduler:
        ticket = scheduler.schedule(message_item(user_wallet, process, 1))
        while scheduler.store.head(process).pinned < 1:
            pass
        # As a start after a crash finds it: pinned, and not signed yet.
        recovery = Recovery(scheduler)
        assert not recovery.done(scheduler.status())
        release.set()
        ticket.stored.get(timeout=30)
        assert recovery.done(scheduler.status())


def test_the_dashboard_asks_for_what_there_is(ask) -> None:
    """Every metric that the Grafana dashboard names is one that a node has."""
    dashboard = json.loads((ROOT / "docs/grafana.json").read_text("utf-8"))
    expressions = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])
    ]
    assert len(expressions) >= 10
    known = set(re.findall(r"^# TYPE (\S+)", ask("GET", "/metrics").text, re.MULTILINE))
    asked = {name for text in expressions for name in re.findall(r"\bao_\w+", text)}
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} <= known


def test_every_number_of_the_moment_is_explained(ask) -> None:
    """Each gauge has its meaning beside it."""
    text = ask("GET", "/metrics").text
    for name, meaning in MEANINGS.items():
        assert f"# HELP ao_{name} {meaning}" in text
