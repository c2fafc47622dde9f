"""Real clients, installed once, and a real node for them to talk to."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.http_node import ServedNode, served
from node.sandbox import Sandbox
from protocol.wallet import Wallet
from tests.sources import ROOT

CLIENTS = Path(__file__).parent / "clients"
CACHE = ROOT / "build" / "interop"
INSTALL_SECONDS = 600
CLIENT_SECONDS = 120


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder with the clients' programs and all they need."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("INTEROP NOT SHOWN: node and npm are missing, so no client could be run")
    lock = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = CACHE / lock
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as alone:
        # Of the workers that test side by side, one installs, and no other writes what it runs.
        fcntl.flock(alone, fcntl.LOCK_EX)
        for file in CLIENTS.iterdir():
            kept = folder / file.name
            if not kept.exists() or kept.read_bytes() != file.read_bytes():
                shutil.copy(file, kept)
        if not (folder / "installed").exists():
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = run(command, folder, INSTALL_SECONDS)
            assert done.returncode == 0, done.stderr
            (folder / "installed").touch()
    return folder


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A bundler and gateway on this machine."""
    sandbox = Sandbox()
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def node(tmp_path: Path, wallet: Wallet, sandbox: Sandbox) -> Iterator[ServedNode]:
    """A node as an operator starts it, which publishes to the sandbox."""
    wallet.save(tmp_path / "wallet.json")
    with served(tmp_path, "--bundler", sandbox.url, "--gateway", sandbox.url) as node:
        yield node


@pytest.fixture
def client(
    installed: Path, tmp_path: Path, node: ServedNode, wallet: Wallet, user_wallet: Wallet
) -> Callable[..., Any]:
    """Run one of the clients' programs against the node, and return what it found."""
    user_wallet.save(tmp_path / "user.json")

    def client(program: str, **told: str) -> Any:
        told = {
            "url": node.url,
            "scheduler": str(wallet.address),
            "module": str(wallet.address),
            "wallet": str(tmp_path / "user.json"),
            **told,
        }
        done = run(["node", program, json.dumps(told)], installed, CLIENT_SECONDS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return client


def run(command: list[str], folder: Path, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, timeout=seconds, capture_output=True, text=True, check=False
    )
