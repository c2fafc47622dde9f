from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from node.peers.client import Client
from node.peers.rules import Rules
from node.sandbox import Sandbox
from tests.storage.programs import ROOT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_interrupted(number: signal.Signals) -> None:
    """`sandbox` says where it is, answers there, and ends in good order."""
    command = [sys.executable, "-m", "node.cli", "sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        url = running.stdout.readline().split()[-1]
        with Client(Rules().trusting(url)) as client:
            assert client.get(f"{url}/block/current").json()["height"] > 0
        running.send_signal(number)
        assert running.wait(30) == 0


def test_a_port_that_is_taken_is_one_line(shell) -> None:
    """The reason why it cannot listen is told, without a traceback."""
    with Sandbox() as sandbox:
        said = shell.fails("sandbox", "--port", sandbox.url.rpartition(":")[2])
    assert "in use" in said
