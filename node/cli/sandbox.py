"""`sandbox`: run a local stand-in for a bundler and an Arweave gateway."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from node.sandbox import Sandbox

PORT = 4000

ENDING = (signal.SIGINT, signal.SIGTERM)


def sandbox(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any.")] = PORT,
) -> None:
    """Run a stand-in for a bundler and a gateway, in memory, until interrupted.

    POST /control makes it misbehave: {"kind": "fail", "route": "tx", "times": 3}; kinds are
    fail, delay, drop, forget, lie, and heal.
    """
    with ending() as ended, Sandbox(host, port) as running:
        typer.echo(f"sandbox  {running.url}")
        typer.echo("It publishes nothing: what it takes is gone when it ends.")
        ended.wait()


@contextmanager
def ending() -> Iterator[threading.Event]:
    """Give an event that an interrupt or a request to terminate sets."""
    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in ENDING}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
