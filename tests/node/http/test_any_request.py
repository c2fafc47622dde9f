from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.codecs.structured import Scalar
from protocol.ids import Id
from protocol.message import Message
from protocol.wallet import Wallet
from tests.items import message_item, process_item
from tests.node.http.service import Service, Services

PROCESS = "{process}"
STEPS = ["~scheduler@1.0", "~process@1.0", "~meta@1.0", "~x@1.0", PROCESS, "A" * 43, "schedule"]
STEPS += ["slot", "next", "status", "location", "info", "init", "checkpoint", "push", "current"]
STEPS += ["address", "assignments", "type", "commitments", "body", "data", "latest", "timestamp"]
STEPS += ["processes", "", "%00", "~", "&", "%3F", "%ff", "compute&slot+integer=1", "1"]
NAMES = ["from", "to", "limit", "target", "at-slot", "accept", "accept-bundle", "require-codec"]
NAMES += ["codec-device", "hint", "subject", "confirmation", "address", "process-id", "from-nonce"]
NAMES += ["after", "assign", "exclude", "x"]
VALUES = ["0", "1", "-1", "9" * 15, "9" * 40, "", "true", "false", PROCESS, "A" * 43, "x", "self"]
VALUES += ["base", "body", "ans104@1.0", "json@1.0", "httpsig@1.0", "application/json", "data"]
VALUES += ["application/http", "application/aos-2", "application/ans104", "text/html", "aggressive"]
VALUES += ["http://127.0.0.1:1/", "%00", "%ff", "1.5", "é"]
BODIES = [
    b"",
    b"{}",
    b"[]",
    b'{"commitments":{}}',
    b"\x01\x00",
    b"--x\r\n\r\n--x--",
    b"\xff" * 2000,
]
METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"]

text = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=20)
addresses = st.lists(st.sampled_from(STEPS), max_size=5).map("/".join)
pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES))
queries = st.lists(pairs, max_size=4).map(lambda found: "&".join(f"{k}={v}" for k, v in found))
headers = st.lists(pairs | st.tuples(st.sampled_from(NAMES), text), max_size=4)
signatures = st.lists(
    st.sampled_from(
        [
            ("signature", "comm-a=:AAAA:"),
            ("signature", "x"),
            ("signature-input", 'comm-a=("a");alg="rsa-pss-sha512";keyid="publickey:AA=="'),
            ("signature-input", "comm-a=()"),
            ("content-type", 'multipart/form-data; boundary="x"'),
            ("content-type", "application/json"),
            ("content-type", "application/ans104"),
            ("ao-types", 'a="integer", .="list"'),
            ("body+link", "A" * 43),
        ]
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, wallet: Wallet, user_wallet: Wallet
) -> Iterator[tuple[Service, Id, bytes]]:
    """A node with a process of two slots, and one more message for it."""
    folder: Path = tmp_path_factory.mktemp("any")
    with Services(folder, [wallet]) as services:
        service = services.start(limits={"rate_per_signer": 0})
        spawned = service.post("/push", process_item(user_wallet, wallet.address))
        process = Id.parse(spawned.headers["process"])
        service.post("/push", message_item(user_wallet, process, 1))
        yield service, process, message_item(user_wallet, process, 2)


@pytest.mark.guarantee("L1")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    method=st.sampled_from(METHODS),
    address=addresses,
    query=queries,
    said=headers,
    signed=signatures,
    body=st.sampled_from(BODIES) | st.binary(max_size=200) | st.none(),
)
def test_any_request_has_an_answer(
    place: tuple[Service, Id, bytes],
    method: str,
    address: str,
    query: str,
    said: list[tuple[str, str]],
    signed: list[tuple[str, str]],
    body: bytes | None,
) -> None:
    """Whatever is asked, in whatever words: never a 500, and an error always has its code."""
    service, process, item = place
    # Two slashes at the beginning would be a host to the client.
    target = f"/{address.lstrip('/')}?{query}".replace(PROCESS, str(process))
    named = [
        (name.encode(), value.replace(PROCESS, str(process)).encode("latin-1"))
        for name, value in (*said, *signed)
    ]
    reply = service.request(method, target, headers=named, content=item if body is None else body)
    assert reply.status_code < 500, reply.text
    if reply.status_code >= 400 and method != "HEAD":
        assert {"code", "error"} & reply.json().keys()


@pytest.mark.guarantee("S10")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_item_changes_nothing(
    place: tuple[Service, Id, bytes], data: st.DataObject
) -> None:
    """One wrong byte anywhere: refused with a code, and the schedule stays as it was."""
    service, process, item = place
    before = service.node.scheduler.slot(process)
    at = data.draw(st.integers(0, len(item) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    damaged = item[:at] + bytes([item[at] ^ bit]) + item[at + 1 :]
    reply = service.post(f"/{process}/schedule", damaged)
    assert 400 <= reply.status_code < 500
    assert reply.json()["code"]
    assert service.node.scheduler.slot(process) == before


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    keys=st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=12),
        st.binary(max_size=60),
        max_size=5,
    ),
    accept=st.sampled_from(["application/json", "application/http", "*/*", "application/ans104"]),
)
def test_any_message_that_is_taken_is_answered_and_read(
    place: tuple[Service, Id, bytes],
    user_wallet: Wallet,
    keys: dict[str, bytes],
    accept: str,
) -> None:
    """Names and values of every kind come back over every route, in every codec."""
    service, process, _ = place
    taken = {"target": str(process), "Type": "Message"}
    reserved = {"target", "type", "ao-types", "require-codec", "accept-bundle", "subject", "accept"}
    taken |= {name: value for name, value in keys.items() if name.lower() not in reserved}
    item = Message.create(taken, user_wallet).encoded
    reply = service.post("/push", item, accept=accept)
    assert reply.status_code == 200, reply.text
    slot = reply.headers["slot"]
    for address in (f"/{Message.decode(item).id}", f"/{process}/schedule?from={slot}"):
        assert service.get(address, accept=accept).status_code == 200
        assert service.get(address, accept=accept, accept_bundle="true").status_code == 200


ODD: list[dict[str, Scalar]] = [
    {"0": b"\x80", "%00": b""},
    {"ao-body-key": "x"},
    {"commitments": "x"},
    {"priv": "x", "signature": "x", "signature-input": "x"},
    {"content-digest": "x", "multi part": "x", "body+link": "x"},
    {"content-type": 'multipart/form-data; boundary="x"', "body": "", "x": b"\xff\r\n"},
    {"path": b"\xff\r\n", "data": b"\x00"},
]
"""Keys that at least one codec cannot carry, or that mean something there."""


@pytest.mark.parametrize("keys", ODD, ids=lambda keys: next(iter(keys)))
@pytest.mark.parametrize("accept", ["application/json", "application/http", "*/*"])
def test_odd_keys_are_answered_and_read(
    place: tuple[Service, Id, bytes], user_wallet: Wallet, keys: dict[str, Scalar], accept: str
) -> None:
    """A message that one codec cannot carry comes in another one, and spoils no page."""
    service, process, _ = place
    item = Message.create({"target": str(process), "Type": "Message"} | keys, user_wallet).encoded
    assert service.post("/push", item, accept=accept).status_code == 200
    for address in (f"/{Message.decode(item).id}", f"/{process}/schedule"):
        assert service.get(address, accept=accept).status_code == 200
