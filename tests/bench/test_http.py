from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from actors import Scheduler, SchedulingMode
from bench.__main__ import app
from bench.accounting import Promise, Unaccounted, account
from bench.http_client import Order
from bench.http_load import RequestsFailed, run
from bench.http_node import ServedNode, served
from bench.http_target import ITEM, Target
from bench.items import Mail, Stranger
from protocol.message import verify
from protocol.wallet import Wallet
from tests.items import message_item
from tests.node.peers.outside import Server, reply
from tests.storage.schedules import random_id

ROW = ["what", "http", "connections", "slots", "per_second", "floor_ratio"]
ROW += ["p50_ms", "p95_ms", "p99_ms"]
CPU = ["server_cpu_us", "signature_cpu_us", "rest_cpu_us", "cpu_bound_ratio"]
TINY = ["--quick", "--seconds", "0.2", "--connections", "3"]

pytestmark = pytest.mark.usefixtures("ready_keys")


@pytest.fixture
def node(tmp_path: Path, wallet: Wallet) -> Iterator[ServedNode]:
    """A node with the scheduler's wallet, as a program of its own."""
    wallet.save(tmp_path / "wallet.json")
    with served(tmp_path) as node:
        yield node


@pytest.fixture
def target(node: ServedNode, wallet: Wallet, user_wallet: Wallet) -> Target:
    """A process of that node."""
    mail = Mail(Stranger(user_wallet), wallet.address)
    (item,) = mail.spawns(1)
    target = Target(node.url, verify(item).message_id, mail, node)
    target.spawn(item)
    return target


def test_a_row_for_each_case_and_one_for_each_read(report, tmp_path: Path) -> None:
    """The promised JSON: modes and versions of HTTP, then a page and the slot; no store is left."""
    modes = ["--mode", "aggressive", "--mode", "local_confirmation"]
    found, printed = report("http", *TINY, *modes, "--version", "1", "--version", "2")
    assert list(found) == ["cores", "floor_per_second", "rows"]
    assert [list(row) for row in found["rows"]] == [ROW + CPU] * 6
    *writes, page, slot = found["rows"]
    cases = [(row["what"], row["http"]) for row in writes]
    named = ("aggressive", "local_confirmation")
    assert cases == [(mode, version) for mode in named for version in (1, 2)]
    assert {row["connections"] for row in writes} == {3}
    assert all(row["floor_ratio"] > 0 for row in writes)
    assert all(row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] for row in found["rows"])
    assert (page["what"], slot["what"]) == ("page (aos-2)", "slot")
    assert page["slots"] > 1
    assert [row["slots"] for row in (*writes, slot)] == [None] * 5
    assert f"page of {page['slots']}" in printed
    assert list((tmp_path / "data").iterdir()) == []


def test_publishing_may_go_to_the_sandbox(report) -> None:
    """Then remote confirmation waits for a bundler behind HTTP."""
    mode = ["--mode", "remote_confirmation", "--sandbox"]
    found, _ = report("http", *TINY, *mode, "--connections", "1")
    assert {row["what"] for row in found["rows"]} >= {"remote_confirmation"}


def test_any_node_is_driven_by_the_same_load(report, node: ServedNode, target: Target) -> None:
    """With --against nothing is spawned, and CPU time is nobody's to know."""
    asked = ["--against", f"{node.url}/", "--process", str(target.process)]
    found, _ = report("http", *TINY, "--mode", "local_confirmation", *asked)
    assert [row["what"] for row in found["rows"]] == ["local_confirmation", "page (aos-2)", "slot"]
    assert {row[name] for row in found["rows"] for name in CPU} == {None}
    with Scheduler.open(node.store, mode=SchedulingMode.DISABLED) as reader:
        assert reader.processes() == [target.process]
        assert reader.slot(target.process) > 0


def test_a_row_ends_when_all_of_it_is_published(node: ServedNode, target: Target) -> None:
    """Also where answers wait for nothing: the CPU time of publishing belongs to its row."""
    items = target.messages(6)
    load = target.post(items, 2, 1, 60.0, SchedulingMode.AGGRESSIVE)
    assert len(load.latencies) == len(items)
    assert load.cpu_seconds is not None
    with Scheduler.open(node.store, mode=SchedulingMode.DISABLED) as reader:
        assert reader.slot(target.process) == len(items)
        assert reader.pending() == []
    account(node.store, target.promised)


def test_what_is_not_stored_as_promised_counts_for_nothing(
    node: ServedNode, target: Target
) -> None:
    """Every answer's slot is looked up in the store."""
    target.promised.append(Promise(target.process, 0, random_id()))
    with pytest.raises(Unaccounted, match="1 promised slots are not stored"):
        account(node.store, target.promised)


def test_refused_requests_are_counted_and_named(node: ServedNode, user_wallet: Wallet) -> None:
    """A load in which requests were refused has measured nothing."""
    process = random_id()
    requests = [(f"/{process}/schedule", message_item(user_wallet, process, n)) for n in range(3)]
    order = Order(node.url, 1, False, 60.0, "POST", ITEM, requests)
    with pytest.raises(RequestsFailed, match=r"^3 requests failed, such as: 404 .*not_found"):
        run(order)


def test_a_failure_is_one_line(server: Server) -> None:
    """Of a node that refuses, and of one that is not there; exit code 1."""
    process = str(random_id())
    server.answers = {f"/{process}/schedule": reply(503, b"later")}
    quick = ["http", *TINY, "--mode", "aggressive", "--process", process, "--against"]
    done = CliRunner().invoke(app, [*quick, f"http://127.0.0.1:{server.port}"])
    assert done.exit_code == 1
    assert done.stderr.startswith("nothing was measured: ")
    assert "requests failed, such as: 503 later" in done.stderr
    done = CliRunner().invoke(app, [*quick, "http://127.0.0.1:1"])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "requests failed, such as: ConnectError" in done.stderr


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that says what it is told."""
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize(
    "wrong",
    [["--against", "http://127.0.0.1:1"], ["--process", "A" * 43], ["--process", "short"]],
    ids=["no process", "no node", "no ID"],
)
def test_against_needs_a_process(wrong: list[str]) -> None:
    """A command line that cannot be meant is a usage error, and measures nothing."""
    done = CliRunner().invoke(app, ["http", *TINY, *wrong])
    assert done.exit_code == 2
