from __future__ import annotations

import socket
import threading

import pytest

from actors.uploader import Upload
from node.peers.bundler import MAX_RECEIPT_BYTES, PARALLEL_UPLOADS, BundlerUploader
from protocol.errors import UploadFailed, UploadRefused
from protocol.ids import digest_id
from tests.node.peers.outside import redirect, reply

ITEM = Upload(digest_id(b"item"), "message", b"the bytes of an item")


@pytest.fixture
def bundler(client):
    """An uploader to a bundler that says what a test tells it."""
    bundler = BundlerUploader(client, "http://node.example/")
    yield bundler
    bundler.close()


@pytest.mark.parametrize(
    ("answer", "receipt"),
    [
        (reply(200, b'{"id":"%b"}' % str(ITEM.id).encode()), f'{{"id":"{ITEM.id}"}}'),
        (reply(201, b"Created"), "Created"),
        (reply(202, b""), "status 202"),
        (reply(200, b"\xff\xfe"), "status 200"),
        (reply(200, b"[1]"), "[1]"),
        (reply(200, b" " * (MAX_RECEIPT_BYTES + 1)), "status 200"),
    ],
)
def test_any_success_is_an_acknowledgement(bundler, server, answer, receipt) -> None:
    """The bundler's words are kept as they are, if they are text and not too long."""
    server.answers["/tx"] = answer
    assert bundler.upload([ITEM]) == [receipt]
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /tx HTTP/1.1\r\n")
    assert b"content-type: application/octet-stream" in head.lower()
    assert body == ITEM.item


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_judgement_on_the_item_is_a_refusal(bundler, server, status: int) -> None:
    """A status that blames the item means that this item will never be taken."""
    server.answers["/tx"] = reply(status, b"no\nsuch thing")
    (outcome,) = bundler.upload([ITEM])
    assert isinstance(outcome, UploadRefused)
    assert outcome.detail.endswith(f"{status} no such thing")


@pytest.mark.parametrize("status", [302, 401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504])
def test_any_other_status_is_tried_again(bundler, server, status: int) -> None:
    """What may change without the item changing, such as a balance, is no refusal."""
    server.answers["/tx"] = reply(status, headers=[("retry-after", "7")])
    (outcome,) = bundler.upload([ITEM])
    assert isinstance(outcome, UploadFailed)
    assert outcome.retry_after == 7


@pytest.mark.parametrize("named", ['"other"', '""', "7", "false", "[]", '{"a":1}'])
def test_an_acknowledgement_of_another_item_is_none(bundler, server, named: str) -> None:
    """A bundler that names another item has not acknowledged ours."""
    server.answers["/tx"] = reply(200, f'{{"id":{named}}}'.encode())
    (outcome,) = bundler.upload([ITEM])
    assert isinstance(outcome, UploadFailed)


def test_a_bundler_that_is_away_is_tried_again(bundler, internet) -> None:
    """No connection, no name, no permission: the item is not at fault."""
    internet.names["node.example"] = [["10.0.0.1"], []]
    for _ in range(2):
        assert isinstance(bundler.upload([ITEM])[0], UploadFailed)


def test_a_moved_bundler_is_followed(bundler, server) -> None:
    """A redirect that keeps the method takes the item along."""
    server.answers |= {"/tx": redirect("/v1/tx", 308), "/v1/tx": reply(200, b"moved")}
    assert bundler.upload([ITEM]) == ["moved"]


def test_items_travel_at_once_and_outcomes_keep_their_order(bundler, server) -> None:
    """As many as may are on their way before the first one is answered."""
    items = [Upload(digest_id(b"%d" % n), "message", b"%d" % n) for n in range(40)]
    together = threading.Barrier(PARALLEL_UPLOADS)

    def answer_together(connection: socket.socket, request: bytes) -> None:
        if len(server.requests) <= PARALLEL_UPLOADS:
            together.wait(30)
        connection.sendall(reply(200, request.partition(b"\r\n\r\n")[2]))

    server.answers["/tx"] = answer_together
    assert bundler.upload(items) == [str(n) for n in range(40)]
