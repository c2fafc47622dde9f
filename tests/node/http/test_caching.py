"""Replies that may be kept for ever: nobody can have a cache give the wrong one to others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from protocol.ids import Id
from protocol.wallet import Wallet
from tests.items import message_item
from tests.node.http.service import Service


@pytest.fixture
def process(service: Service, process: Id, user_wallet: Wallet) -> Id:
    """A process with some slots."""
    for number in range(3):
        service.post(f"/{process}/schedule", message_item(user_wallet, process, number))
    return process


@pytest.mark.parametrize(
    ("what", "steering"),
    [
        ("schedule?to=1", {"from": "1"}),
        ("schedule?from=0", {"to": "1"}),
        ("schedule?from=0&to=2", {"limit": "1"}),
        ("schedule?from=0&to=0", {"target": "{process}"}),
        ("next", {"at-slot": "0"}),
        ("schedule?to=0", {"accept": "application/json"}),
        ("schedule?to=0", {"require-codec": "application/json"}),
        ("schedule?to=0", {"accept-bundle": "true"}),
        ("", {"codec-device": "httpsig@1.0"}),
        ("", {"accept-codec": "httpsig@1.0"}),
    ],
)
def test_a_cache_knows_each_header_that_decides(
    service: Service, process: Id, what: str, steering: Mapping[str, str]
) -> None:
    """Else a range that somebody asked for in a header would be everybody's."""
    headers = {name: value.format(process=process) for name, value in steering.items()}
    reply = service.request("GET", f"/{process}/{what}", headers=headers)
    assert "immutable" in reply.headers["cache-control"]
    assert set(steering) <= set(reply.headers["vary"].split(", "))


@pytest.mark.parametrize("what", ["schedule?to=1", "next?at-slot=0", "type"])
def test_what_a_body_asked_for_is_not_kept(service: Service, process: Id, what: str) -> None:
    """Caches know addresses and headers only."""
    asked = {"content": b'{"from":"1"}', "headers": {"content-type": "application/json"}}
    reply = service.request("GET", f"/{process}/{what}", **asked)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in reply.headers
