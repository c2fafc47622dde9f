from __future__ import annotations

from pathlib import Path

import httpx

from actors import Scheduler, SchedulingMode
from protocol.message import Message
from tests.items import process_item


def test_aoconnect_spawns_and_sends(client, node, tmp_path: Path) -> None:
    """The mainnet mode of aoconnect works unchanged: every form of answer is the slot on disk."""
    found = client("mainnet.mjs")
    assert found["slot"] == 1
    assert found["both"]["slot"] == 2
    assert found["current"] == "3"
    assert found["asked"] != found["first"]
    node.stop()
    with Scheduler.open(tmp_path / "store", mode=SchedulingMode.DISABLED) as reader:
        stored = [assignment.message_id for assignment in reader.page(found["first"]).assignments]
        assert [str(stored[2]), str(stored[3])] == [found["both"]["id"], found["id"]]
        assert reader.slot(found["asked"]) == 0
        assert reader.verify().ok


def test_aoconnect_reads_and_writes_the_older_network(client, node, wallet, user_wallet) -> None:
    """The legacy mode of aoconnect works unchanged against the older routes, slot by slot."""
    spawning = process_item(user_wallet, wallet.address, Variant="ao.TN.1")
    answer = httpx.post(node.url, content=spawning, trust_env=False)
    assert answer.status_code == 200, answer.text
    process = str(Message.decode(spawning).id)
    found = client("legacy.mjs", process=process)
    assert found["sent"]["slot"] == "1"
    assert found["last"] == "2"
    assert found["one"]["message"]["id"] == found["sent"]["id"]
    nodes = [edge["node"] for edge in found["range"]["edges"]]
    assert [entry["message"]["id"] for entry in nodes] == [found["sent"]["id"], found["id"]]
    assert found["assigned"] == nodes[0]["assignment"]["id"]


def test_arbundles_items_are_taken_as_they_are(client) -> None:
    """Items of arbundles get their slots, the same one when they come again; a damaged one none."""
    found = client("arbundles.mjs", variant="ao.N.1")
    assert [found[name]["status"] for name in ("spawned", "scheduled", "again", "root")] == [
        200
    ] * 4
    slots = [found[name]["headers"]["slot"] for name in ("spawned", "scheduled", "again")]
    assert slots == ["0", "1", "1"]
    assert found["scheduled"]["headers"]["body+link"] == found["scheduled"]["id"]
    assert found["refused"]["status"] == 400
    assert "invalid_signature" in found["refused"]["text"]


def test_arbundles_items_enter_the_older_network(client) -> None:
    """The older variant takes items of arbundles at its root, and answers with their IDs."""
    found = client("arbundles.mjs", variant="ao.TN.1")
    assert found["spawned"]["status"] == found["root"]["status"] == 200
    assert found["root"]["id"] in found["root"]["text"]
    assert found["refused"]["status"] >= 400
