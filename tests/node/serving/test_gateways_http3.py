"""HTTPS and HTTP/3 of a node with several gateways."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from protocol.wallet import Wallet
from tests.node.peers.certificates import certificate
from tests.node.serving.family import Family
from tests.node.serving.http3_client import connected

CLIENTS = 8


def test_every_version_is_served_at_the_shared_port(tmp_path: Path, wallet: Wallet) -> None:
    """Over TCP and UDP each client reaches one gateway and stays there."""
    trusts, _ = certificate("localhost", tmp_path)
    file = str(tmp_path / "certificate.pem")
    wallet.save(tmp_path / "wallet.json")
    flags = ["--http3", "--tls-certificate", file, "--tls-key", file]
    with Family(tmp_path / "data", tmp_path / "wallet.json", *flags, shards=1) as node:
        port = int(node.url.rpartition(":")[2])

        async def talk() -> None:
            for _ in range(CLIENTS):
                async with connected(port, Path(file)) as client:
                    replies = [await client.get(b"/health") for _ in range(3)]
                    assert replies == [(200, b'{"status":"well"}')] * 3

        asyncio.run(talk())
        for _ in range(CLIENTS):
            reply = httpx.get(f"https://localhost:{port}/health", verify=trusts, trust_env=False)
            assert (reply.status_code, reply.headers["alt-svc"]) == (
                200,
                f'h3=":{port}"; ma=86400',
            )
        assert node.end() == 0
