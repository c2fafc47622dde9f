"""Limits around an application, without a server."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from node.config import Config
from node.demonstration import message_item, process_item
from node.limits import limited
from node.limits.spreading import Spread
from node.running import open_node
from node.serving.service import guarded
from protocol.message import Message
from protocol.wallet import Wallet

ANS104 = {"content-type": "application/ans104", "codec-device": "ans104@1.0"}


async def size(_scope, receive, send) -> None:
    """Answer with the size of the body, and how many pieces it came in."""
    pieces = []
    while True:
        message = await receive()
        pieces.append(len(message["body"]))
        if not message["more_body"]:
            break
    headers = [(b"content-length", b"%d" % len(str(pieces)))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": str(pieces).encode()})


def replies(app, *requests) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return [await client.request(*request, **more) for *request, more in requests]

    return asyncio.run(ask())


async def pieces_of(*pieces: bytes):
    for piece in pieces:
        yield piece


def test_a_body_comes_in_one_piece() -> None:
    """An application never waits for more of a body: all of it is there when it runs."""
    body = pieces_of(b"abc", b"", b"defg")
    (reply,) = replies(limited(size, Config()), ("POST", "/", {"content": body}))
    assert reply.text == "[7]"


def test_refusals_are_told() -> None:
    """Whoever counts hears the code of each refusal."""
    told: list[str] = []
    config = Config(limits={"body_bytes": 10, "rate_per_address": 1.5})
    app = limited(size, config, told.append)
    found = replies(
        app,
        ("POST", "/", {"content": b"x" * 11}),
        ("POST", "/", {"headers": {"content-encoding": "br"}}),
        ("GET", "/", {}),
        ("GET", "/", {}),
    )
    assert [reply.status_code for reply in found] == [413, 415, 200, 429]
    assert told == ["too_large", "unsupported_content_encoding", "rate_limited"]
    assert found[0].json()["code"] == "too_large"


OLDER = [
    ("POST", "/", {"content": b"x" * 11}),
    ("GET", "/timestamp", {"headers": {"x": "x" * 2000}}),
    ("GET", f"/{'A' * 43}?process-id={'A' * 43}", {"headers": {"content-encoding": "br"}}),
]
NEWER = [
    ("POST", "/schedule", {"content": b"x" * 11}),
    ("POST", "/", {"content": b"x" * 11, "headers": {"signature-input": "x"}}),
    ("GET", "/~scheduler@1.0/slot", {"headers": {"x": "x" * 2000}}),
]


@pytest.mark.parametrize("rate", [0, 0.01])
@pytest.mark.parametrize(
    ("asked", "key", "media_type"),
    [(OLDER, "error", "application/json"), (NEWER, "code", "application/problem+json")],
    ids=["older", "newer"],
)
def test_a_refusal_is_in_the_form_of_the_interface(
    tmp_path, wallet: Wallet, asked, key: str, media_type: str, rate: float
) -> None:
    """Limits tell clients of the older network as that does, and all others with problems."""
    wallet.save(tmp_path / "wallet.json")
    store = {"data": tmp_path / "data", "wallets": [tmp_path / "wallet.json"]}
    limits = {"body_bytes": 10, "header_bytes": 1500, "rate_per_address": rate}
    with open_node(Config(store=store, limits=limits)) as node:
        found = replies(guarded(node), *asked)
    assert (found[-1].status_code == 429) == bool(rate)
    for reply in found:
        assert reply.status_code in (413, 415, 429, 431)
        assert reply.headers["content-type"] == media_type
        assert reply.headers["access-control-allow-origin"] == "*"
        assert key in reply.json()
        assert ("retry-after" in reply.headers) == (reply.status_code == 429)


@pytest.mark.parametrize(
    ("status", "given", "sent"),
    [(503, b"1", b"3"), (429, b"40", b"80"), (200, b"1", b"1"), (503, b"soon", b"soon")],
)
def test_waits_are_spread(status: int, given: bytes, sent: bytes) -> None:
    """Whoever is told to come back is told a time of its own, never an earlier one."""

    async def busy(_scope, _receive, send) -> None:
        headers = [(b"retry-after", given)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    (reply,) = replies(Spread(busy, lambda _least, most: most), ("GET", "/", {}))
    assert reply.headers["retry-after"].encode() == sent


def test_a_signer_has_a_rate(tmp_path, user_wallet: Wallet, wallet: Wallet) -> None:
    """A signer's messages are refused over its rate, before they are verified; others' are not."""
    wallet.save(tmp_path / "wallet.json")
    store = {"data": tmp_path / "data", "wallets": [tmp_path / "wallet.json"]}
    spawn = process_item(user_wallet, wallet.address)
    process = Message.decode(spawn).id
    posts = [message_item(user_wallet, process, 1), message_item(wallet, process, 2)]
    with open_node(Config(store=store, limits={"rate_per_signer": 0.01})) as node:
        found = replies(
            guarded(node),
            *(
                ("POST", "/schedule", {"content": one, "headers": ANS104})
                for one in [spawn, *posts]
            ),
        )
    assert [reply.status_code for reply in found] == [200, 429, 200]
    assert found[1].json()["code"] == "rate_limited"
    assert int(found[1].headers["retry-after"]) > 1


@pytest.mark.guarantee("L2")
def test_a_full_queue_is_refused_for_now(tmp_path, user_wallet: Wallet, wallet: Wallet) -> None:
    """More requests than may wait get 503 and a time to come back; the others their slots."""
    wallet.save(tmp_path / "wallet.json")
    store = {"data": tmp_path / "data", "wallets": [tmp_path / "wallet.json"]}
    spawn = process_item(user_wallet, wallet.address)
    items = [message_item(user_wallet, Message.decode(spawn).id, one) for one in range(30)]

    async def together(app) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            await client.post("/schedule", content=spawn, headers=ANS104)
            posts = (client.post("/schedule", content=item, headers=ANS104) for item in items)
            return await asyncio.gather(*posts)

    with open_node(Config(store=store, limits={"queue": 2})) as node:
        found = asyncio.run(together(guarded(node)))
    assert {reply.status_code for reply in found} == {200, 503}
    refused = [reply for reply in found if reply.status_code == 503]
    assert {reply.json()["code"] for reply in refused} == {"overloaded"}
    assert all(int(reply.headers["retry-after"]) in range(1, 4) for reply in refused)
