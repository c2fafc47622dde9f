from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from node.http.app import application
from protocol.codecs.httpsig_commitment import commit, to_wire
from protocol.codecs.structured import to_tabm
from protocol.ids import Id
from protocol.tabm import Tabm, Typed
from protocol.wallet import Wallet
from tests.items import message_item
from tests.node.http.service import Service, Services


def exchange(service: Service, address: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """Post a body as these ASGI events; return what was sent back."""
    coming, sent = iter(events), []

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": address,
        "raw_path": address.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/ans104")],
    }
    asyncio.run(application(service.node)(scope, receive, send))
    return sent


def test_a_body_may_come_in_pieces(service: Service, process: Id, user_wallet: Wallet) -> None:
    """Put together again, it is the message that was sent."""
    item = message_item(user_wallet, process)
    pieces = [item[:100], b"", item[100:1000], item[1000:]]
    events = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    head, _ = exchange(service, "/push", *events, {"type": "http.request"})
    assert (head["status"], dict(head["headers"])[b"slot"]) == (200, b"1")


def test_a_client_that_leaves_gets_nothing(
    service: Service, process: Id, user_wallet: Wallet
) -> None:
    """And nothing is scheduled of what it did not send to its end."""
    item = message_item(user_wallet, process)
    begun = {"type": "http.request", "body": item, "more_body": True}
    assert exchange(service, "/push", begun, {"type": "http.disconnect"}) == []
    assert service.node.scheduler.slot(process) == 0


def nested(levels: int) -> dict[str, Typed]:
    """A map in a map in a map."""
    inside: dict[str, Typed] = {"x": "y"}
    for _ in range(levels):
        inside = {"a": inside}
    return inside


MANY: dict[str, Typed] = {
    f"group-{group}": {f"part-{number}": {"x": "y"} for number in range(20)} for group in range(4)
}


@pytest.mark.parametrize("shape", [nested(9), MANY], ids=["deep", "many"])
@pytest.mark.parametrize("codec", ["httpsig", "json"])
def test_a_message_without_bounds_is_refused(
    service: Service, process: Id, user_wallet: Wallet, codec: str, shape: dict[str, Typed]
) -> None:
    """Deeper than 8, or of more than 64 parts: nobody's memory is spent on it."""
    keys: dict[str, Typed] = {"type": "Message", "target": str(process), **shape}
    signed = commit(to_tabm(keys), user_wallet)
    assert send_as(service, f"/{process}/schedule", codec, signed) == (413, "too_large")
    assert service.node.scheduler.slot(process) == 0


def test_the_bounds_are_the_operators(
    services: Services, user_wallet: Wallet, wallet: Wallet
) -> None:
    """Another node may take less, or more; a nested message comes with two parts about itself."""
    service = services.start(limits={"parts": 6, "nesting": 4})
    keys: dict[str, Typed] = {"target": str(wallet.address), "one": {"x": "y"}, "two": {"x": "y"}}
    signed = commit(to_tabm({**keys, "three": {"x": "y"}}), user_wallet)
    assert send_as(service, "/schedule", "httpsig", signed) == (413, "too_large")
    fewer = commit(to_tabm(keys), user_wallet)
    assert send_as(service, "/schedule", "httpsig", fewer) == (404, "not_found")


def test_a_large_item_is_scheduled_too(service: Service, process: Id, user_wallet: Wallet) -> None:
    """It is hashed beside the event loop, and no other request waits for that."""
    item = message_item(user_wallet, process, data="x" * (1 << 20))
    headers = {"content-type": "application/ans104"}
    post = ("POST", "/push", {"content": item, "headers": headers})
    replies = service.at_once(post, ("GET", f"/{process}/slot", {}))
    assert [reply.status_code for reply in replies] == [200, 200]
    assert service.node.scheduler.entry(process, 1).message.encoded == item


def send_as(service: Service, address: str, codec: str, message: Tabm) -> tuple[int, str | None]:
    """Post a message with everything in it; return status and code."""
    if codec == "httpsig":
        wire = to_wire(message, bundle=True)
        options: dict[str, Any] = {"headers": list(wire.headers), "content": wire.body}
    else:
        content = orjson.dumps(plain(message))
        options = {"headers": {"content-type": "application/json"}, "content": content}
    reply = service.request("POST", address, **options)
    return reply.status_code, None if reply.status_code == 200 else reply.json()["code"]


def plain(message: Tabm) -> dict[str, Any]:
    """A message of text as JSON would have it."""
    return {
        key.decode(): value.decode() if isinstance(value, bytes) else plain(value)
        for key, value in message.items()
    }
