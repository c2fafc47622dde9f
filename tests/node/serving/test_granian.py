"""The same application under another server, which is written in Rust."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from node.demonstration import message_item, process_item
from protocol.message import Message
from protocol.wallet import Wallet
from tests.node.serving.living import PATIENCE_SECONDS
from tests.node.serving.nodes import ANS104
from tests.storage.programs import ROOT

GRANIAN = [sys.executable, "-m", "granian", "--interface", "asgi", "node.serving.asgi:app"]

BODY_BYTES = 50_000
"""What is one more still fits into the first window of HTTP/2: clients that wait for another one
while they send would wait in vain."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def environment(tmp_path: Path, wallet: Wallet) -> dict[str, str]:
    """What tells the application of its store and wallet."""
    wallet.save(tmp_path / "wallet.json")
    told = {"DATA": tmp_path / "data", "WALLET": tmp_path / "wallet.json"}
    files = {f"AO_SCHEDULER_{name}": str(file) for name, file in told.items()}
    return files | {"AO_SCHEDULER_LIMITS_BODY_BYTES": str(BODY_BYTES)}


@pytest.fixture
def url(environment: dict[str, str]) -> Iterator[str]:
    """Where Granian serves a node; it must end in good order."""
    port = str(free_port())
    program = subprocess.Popen(
        [*GRANIAN, "--host", "127.0.0.1", "--port", port],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with program:
        assert any("Started worker" in line for line in program.stdout)
        yield f"http://127.0.0.1:{port}"
        program.terminate()
        assert program.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("versions", [{"http1": True}, {"http1": False, "http2": True}])
def test_a_node_runs_under_granian(
    url: str, versions: dict[str, bool], user_wallet: Wallet, wallet: Wallet
) -> None:
    """Messages get their slots, and limits hold, over HTTP/1.1 and HTTP/2."""
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, trust_env=False, **versions) as http:
        assert http.get("/ready").json()["status"] == "ready"
        spawn = process_item(user_wallet, wallet.address)
        assert http.post("/schedule", content=spawn, headers=ANS104).headers["slot"] == "0"
        message = message_item(user_wallet, Message.decode(spawn).id, 1)
        assert http.post("/schedule", content=message, headers=ANS104).headers["slot"] == "1"
        refused = http.post("/schedule", content=b"", headers={"content-encoding": "gzip"})
        assert (refused.status_code, refused.json()["code"]) == (
            415,
            "unsupported_content_encoding",
        )
        assert http.post("/", content=bytes(BODY_BYTES + 1)).status_code == 413


@pytest.mark.parametrize(
    ("setting", "value"),
    [("bundler.url", "nonsense"), ("store.shards", "2"), ("server.gateways", "2")],
)
def test_a_node_that_cannot_open_does_not_serve(
    environment: dict[str, str], setting: str, value: str
) -> None:
    """What it cannot do as configured ends the server, which says why."""
    environment |= {"AO_SCHEDULER_STORE_SHARDS": "1"}
    environment["AO_SCHEDULER_" + setting.replace(".", "_").upper()] = value
    failed = subprocess.run(
        [*GRANIAN, "--port", str(free_port())],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert setting in failed.stdout + failed.stderr
