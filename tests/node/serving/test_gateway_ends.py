"""How a node of several programs ends, as a whole and in parts, and what it owes then."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from actors.shards.endings import HURRIED_EXIT
from node.demonstration import message_item, process_item
from node.serving.ending import ECHO_SECONDS
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from storage import shard_of
from tests.node.serving.family import Family, kill, wait_for_end
from tests.node.serving.living import Connection
from tests.node.serving.nodes import ANS104, Load, refusal
from tests.storage.programs import ROOT


@pytest.mark.guarantee("S4", "L1")
def test_all_programs_end_and_lose_nothing(tmp_path: Path, file: Path, load: Load) -> None:
    """Under load, what was taken is answered, all end with success, and nothing is left behind."""
    with Family(tmp_path / "data", file) as node:
        folders = list(node.temporary.iterdir())
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
        assert len(folders) == 2
        programs = node.children
        with node.client() as client:
            load.spawn(client)
        ended = load.run(node)
        load.wait_for(40)
        assert node.end() == 0
        ended()
        assert not any(Path(f"/proc/{pid}").exists() for pid in programs)
        assert list(node.temporary.iterdir()) == []
    assert load.refusals == []
    assert load.lost(tmp_path / "data") == []


def test_a_terminal_that_interrupts_all_of_them_ends_them_in_order(
    tmp_path: Path, file: Path, load: Load
) -> None:
    """Ctrl-C reaches every program; only the first one does something about it."""
    with Family(tmp_path / "data", file, shards=1, gateways=1) as node:
        with node.client() as client:
            load.spawn(client)
        ended = load.run(node)
        load.wait_for(20)
        for pid in node.children:
            os.kill(pid, signal.SIGINT)
        assert node.end(signal.SIGINT) == 0
        ended()
    assert load.refusals == []
    assert load.lost(tmp_path / "data") == []


def test_a_second_signal_ends_all_at_once(tmp_path: Path, file: Path) -> None:
    """Whoever does not want to wait for a slow client says so again."""
    slow = {
        "AO_SCHEDULER_SERVER_GRACEFUL_SECONDS": "600",
        "AO_SCHEDULER_LIMITS_BODY_SECONDS": "600",
    }
    with Family(tmp_path / "data", file, shards=1, gateways=1, **slow) as node:
        programs, port = node.children, int(node.url.rpartition(":")[2])
        with Connection(port) as client:
            head = (
                b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
            )
            assert b"100" in client.send(head).until(b"\r\n\r\n")
            client.send(b"half")
            os.kill(node.pid, signal.SIGTERM)
            # Sooner it would be taken for the same signal.
            again = time.monotonic() + ECHO_SECONDS
            # The others are told, and take no more connections; this request has its grace.
            while taken(port) or time.monotonic() <= again:
                pass
            assert node.end(signal.SIGTERM) == HURRIED_EXIT
    assert not any(Path(f"/proc/{pid}").exists() for pid in programs)


@pytest.mark.guarantee("S1", "S2", "S4")
def test_a_killed_gateway_is_replaced(tmp_path: Path, file: Path, load: Load) -> None:
    """Under load, new clients are served by the other one, and nothing acknowledged is lost."""
    with Family(tmp_path / "data", file) as node:
        with node.client() as client:
            load.spawn(client)
        before = node.gateways
        hung_up = []
        for victim in before:
            hung_up.append(load.run(node))
            load.wait_for(len(load.acknowledged) + 20)
            kill(victim)
            # Those who come now are served by the other one.
            hung_up.append(load.run(node, 2))
            load.wait_for(len(load.acknowledged) + 20)
            node.wait_for_gateways(2)
        assert set(node.gateways).isdisjoint(before)
        assert node.end() == 0
        for wait in hung_up:
            wait()
    assert load.lost(tmp_path / "data") == []
    assert load.refusals == []


@pytest.mark.guarantee("S1", "S2", "S4")
def test_a_killed_shard_comes_back_while_the_other_serves(
    tmp_path: Path, file: Path, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Its processes are refused for a moment, and read meanwhile; those of the other are not."""
    with (
        Family(tmp_path / "data", file) as node,
        node.client() as client,
        node.client() as follower,
        ExitStack() as stack,
    ):
        lost, kept = spawned(client, user_wallet, wallet)
        slots = stack.enter_context(followed(follower, lost))
        assert next(slots) == "0"
        victim = node.shards[0]
        kill(victim)
        replies = []
        number = 0
        while not replies or replies[-1].status_code != 200:
            number += 1
            replies.append(post(client, message_item(user_wallet, lost, number)))
            assert post(client, message_item(user_wallet, kept, number)).status_code == 200
            assert client.get(f"/{lost}/slot").status_code == 200
            if replies[-1].status_code == 503:
                assert client.get("/health").status_code == 200
        refused = [reply for reply in replies if reply.status_code == 503]
        assert {reply.json()["code"] for reply in refused} == {"recovering"}
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        # One that was on its way when the shard died is not known to have a slot.
        assert {reply.status_code for reply in replies} <= {200, 503, 504}
        assert refused
        # Whoever followed the process before it was away still does.
        assert int(next(slots)) == 1
        while (ready := client.get("/ready")).status_code != 200:
            assert ready.json()["status"] == "recovering"
        assert node.shards[0] != victim
        assert 'ao_shard_starts{shard="0"} 2.0' in client.get("/metrics").text
        assert node.end() == 0


@pytest.mark.guarantee("S1", "S2", "S4")
def test_the_others_end_with_the_first_program(tmp_path: Path, file: Path, load: Load) -> None:
    """Killed under load, it leaves nobody behind; started again at once it has every answer."""
    data = tmp_path / "data"
    with Family(data, file) as node:
        with node.client() as client:
            load.spawn(client)
        ended = load.run(node)
        load.wait_for(25)
        orphans = node.children
        node.end(signal.SIGKILL)
        # Its successor waits for those that it left behind.
    with Family(data, file) as node, node.client() as client:
        while client.get("/ready").status_code != 200:
            pass
        slot = client.get(f"/{load.process}/slot").headers["current"]
        assert int(slot) >= max(load.acknowledged.values())
        wait_for_end(orphans)
        ended()
        assert node.end() == 0
    assert load.lost(data) == []


HOPELESS = """
import sys
from actors.shards.settings import SupervisionSettings
from node.serving import programs

if __name__ == "__main__":
    programs.SupervisionSettings = lambda **_: SupervisionSettings(max_restarts=0)
    from node.cli import run
    run()
"""


def test_programs_that_cannot_be_kept_running_end_the_node(tmp_path: Path, file: Path) -> None:
    """Past the limit of restarts the node ends with a reason in one line, and nobody is left."""
    script = tmp_path / "hopeless.py"
    script.write_text(HOPELESS)
    shared = ["--data", str(tmp_path / "data"), "--wallet", str(file), "--log-level", "quiet"]
    with subprocess.Popen(
        [sys.executable, script, "serve", "--port", "0", "--shards", "1", *shared],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdout.readline().startswith("listening on ")
        found = Family.__new__(Family)
        found.pid, found.data, found._shards = node.pid, tmp_path / "data", 1
        programs = found.children
        (gateway,) = found.gateways
        kill(gateway)
        told = node.stderr.read()
        assert node.wait(60) == 1
    assert told.startswith("error: gateway 0 ")
    assert told.count("\n") == 1
    wait_for_end(programs)


def test_a_port_and_a_store_have_one_node(tmp_path: Path, file: Path) -> None:
    """Another node is refused in one line, by either, and the first one goes on."""
    data = tmp_path / "data"
    with Family(data, file, shards=1, gateways=1) as node, node.client() as client:
        port = node.url.rpartition(":")[2]
        assert "in use by PID" in refusal(data, file, "--shards", "1")
        assert f"127.0.0.1:{port}" in refusal(
            tmp_path / "other", file, "--shards", "1", "--port", port
        )
        assert client.get("/ready").status_code == 200
        assert node.end() == 0


@pytest.mark.guarantee("S3")
def test_gateways_read_beside_a_writer(
    tmp_path: Path, file: Path, user_wallet: Wallet, wallet: Wallet
) -> None:
    """A node that only reads has no shards; its gateways count a client's requests together."""
    data = tmp_path / "data"
    with Family(data, file, gateways=1) as writer, writer.client() as client:
        process, _ = spawned(client, user_wallet, wallet)
        rate = {"AO_SCHEDULER_LIMITS_RATE_PER_ADDRESS": "0.01"}
        with Family(data, file, "--mode", "disabled", shards=0, **rate) as reader:
            assert len(reader.children) == 2
            with reader.client() as one:
                assert one.get(f"/{process}/slot").headers["current"] == "0"
            replies = []
            for _ in range(20):
                with reader.client() as another:
                    replies.append(another.get(f"/{process}/slot"))
            assert {reply.status_code for reply in replies} == {429}
            assert reader.end() == 0
        assert writer.end() == 0


def spawned(client: httpx.Client, user: Wallet, scheduler: Wallet):
    """A new process in each of two shards, by number."""
    found = {}
    while len(found) < 2:
        item = process_item(user, scheduler.address)
        assert post(client, item).status_code == 200
        process = Message.decode(item).id
        found[shard_of(process, 2)] = process
    return found[0], found[1]


@contextmanager
def followed(client: httpx.Client, process: Id) -> Iterator[Iterator[str]]:
    """The slots of a process as an event stream brings them."""
    accept = {"accept": "text/event-stream"}
    with client.stream("GET", f"/{process}/schedule", headers=accept) as reply:
        lines = reply.iter_lines()
        yield (line.partition(":")[2].strip() for line in lines if line.startswith("id:"))


def post(client: httpx.Client, item: bytes) -> httpx.Response:
    return client.post("/schedule", content=item, headers=ANS104)


def taken(port: int) -> bool:
    """Whether somebody takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True
