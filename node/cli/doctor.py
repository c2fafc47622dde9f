"""`doctor`: look at what a node needs before it is started, or while it runs."""

from __future__ import annotations

import resource
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from actors import Scheduler, SchedulingMode
from node.cli.configuration import File, Settings, configured
from node.cli.program import FAILED
from node.cli.screen import plain
from node.config import Config
from node.peers.client import Client
from node.peers.gateway import Gateway
from node.peers.rules import Rules
from protocol.errors import SchedulerError
from protocol.wallet import Wallet
from storage.layout import Layout
from storage.space import free_bytes

MIN_FILES = 1024
"""Open files: one per connection, and a few for the store."""

PATIENCE_SECONDS = 5.0


class NotWell(Exception):
    """What is wrong, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; `look` returns what it found, or raises what is wrong."""

    name: str
    look: Callable[[], str]


def doctor(context: typer.Context, *, file: File = None, settings: Settings = None) -> None:
    """Check wallet, store, disk, certificate, bundler and gateway, as a node would use them.

    Nothing is changed. Exit code 0 only if all is well.
    """
    well = True
    for check in checks(configured(context, file, settings or ()).config):
        good, found = outcome(check)
        well = well and good
        typer.echo(f"{'ok  ' if good else 'BAD '} {check.name:12} {plain(found)}")
    raise typer.Exit(0 if well else FAILED)


def checks(config: Config) -> Iterator[Check]:
    """Yield what applies to a configuration."""
    for wallet in config.store.wallets:
        yield Check("wallet", partial(_wallet, wallet))
    yield Check("store", partial(_store, config))
    yield Check("disk", partial(_disk, config))
    yield Check("open files", _open_files)
    if config.server.tls_certificate and config.server.tls_key:
        yield Check("certificate", partial(_certificate, config))
    if config.bundler.url:
        yield Check("bundler", partial(_reached, config.bundler.url))
    if config.gateway.url:
        yield Check("gateway", partial(_gateway, config.gateway.url))
    if config.server.public_url:
        yield Check("public URL", partial(_reached, config.server.public_url))


def outcome(check: Check) -> tuple[bool, str]:
    """Look, and say whether it is well and what was found."""
    try:
        return True, check.look()
    except NotWell as exc:
        return False, str(exc)
    except SchedulerError as exc:
        return False, exc.detail
    except OSError as exc:
        return False, exc.strerror or str(exc)


def _wallet(file: Path) -> str:
    if not file.exists():
        return f"{file} does not exist: serve creates it, if it is the first"
    return f"{file}: {Wallet.load(file).address}"


def _store(config: Config) -> str:
    folder = config.store.data
    if not Layout(folder).manifest.exists():
        return f"{folder} holds no store yet: serve creates one"
    with Scheduler.open(folder, mode=SchedulingMode.DISABLED) as scheduler:
        return f"{folder}: {scheduler.status().processes} processes"


def _disk(config: Config) -> str:
    folder = config.store.data.absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    free, reserve = free_bytes(existing), config.store.min_free_bytes
    if free < reserve:
        raise NotWell(f"{free >> 20} MiB are free, less than the reserve of {reserve >> 20} MiB")
    return f"{free >> 20} MiB are free"


def _open_files() -> str:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MIN_FILES:
        raise NotWell(f"at most {soft} files may be open: ulimit -n {MIN_FILES} or more")
    return f"up to {soft}"


def _certificate(config: Config) -> str:
    certificate, key = config.server.tls_certificate, config.server.tls_key
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(certificate), str(key))
    except ssl.SSLError as exc:
        raise NotWell(f"{certificate} and {key} are no certificate and its key: {exc}") from None
    return str(certificate)


def _reached(url: str) -> str:
    client = Client(Rules(timeout_seconds=PATIENCE_SECONDS).trusting(url))
    try:
        return f"{url} answers (status {client.get(url).status})"
    finally:
        client.close()


def _gateway(url: str) -> str:
    client = Client(Rules(timeout_seconds=PATIENCE_SECONDS).trusting(url))
    try:
        return f"{url} is at block {Gateway(client, url).current_block().height}"
    finally:
        client.close()
