"""`serve`: run a node."""

from __future__ import annotations

from typing import Annotated

import typer

from actors.events import log
from node.cli.configuration import File, Settings, configured
from node.cli.screen import plain


def serve(
    context: typer.Context,
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 is any.")] = None,
    public_url: Annotated[str | None, typer.Option(help="How others reach this node.")] = None,
    tls_certificate: Annotated[str | None, typer.Option(help="PEM file of the chain.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="PEM file of its key.")] = None,
    http3: Annotated[bool | None, typer.Option("--http3", help="Listen on UDP, too.")] = None,
    shards: Annotated[int | None, typer.Option(help="Programs that schedule; 0: none.")] = None,
    gateways: Annotated[int | None, typer.Option(help="Programs that speak HTTP.")] = None,
    mode: Annotated[str | None, typer.Option(help="Stage that answers wait for.")] = None,
    bundler: Annotated[str | None, typer.Option(help="URL to publish to.")] = None,
    gateway: Annotated[str | None, typer.Option(help="URL to ask Arweave at.")] = None,
    file: File = None,
    settings: Settings = None,
) -> None:
    """Run a node that speaks HTTP, until interrupted.

    Everything else is set by a file, variables or --set; `config` shows all there is.
    """
    flags = {
        "server.host": ("--host", host),
        "server.port": ("--port", port),
        "server.public_url": ("--public-url", public_url),
        "server.tls_certificate": ("--tls-certificate", tls_certificate),
        "server.tls_key": ("--tls-key", tls_key),
        "server.http3": ("--http3", http3),
        "store.shards": ("--shards", shards),
        "server.gateways": ("--gateways", gateways),
        "scheduling.mode": ("--mode", mode),
        "bundler.url": ("--bundler", bundler),
        "gateway.url": ("--gateway", gateway),
    }
    given = {name: (flag, str(value)) for name, (flag, value) in flags.items() if value is not None}
    config = configured(context, file, settings or (), given).config
    log.configure(config.log.level)
    # Only now: a server takes a while to import.
    from node.serving.layout import run_node

    run_node(config, lambda address: typer.echo(plain(f"listening on {address}")))
