from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from node.peers.client import Client
from node.peers.deadline import deadline
from node.peers.rules import Rules
from protocol.errors import PeerFailed, PeerRefused, PeerTimeout, PeerTooLarge
from tests.node.peers.certificates import certificate
from tests.node.peers.outside import PUBLIC, Internet, Server, redirect, reply

HERE = "http://node.example"


def test_an_answer_is_what_the_server_said(client, server) -> None:
    """Status, headers with names in lower case, body and URL arrive as they were sent."""
    server.answers["/a?b=c"] = reply(404, b"no", [("X-One", "1"), ("x-one", "2")])
    answer = client.get(f"{HERE}/a?b=c")
    assert (answer.status, answer.body, answer.url, answer.ok) == (
        404,
        b"no",
        f"{HERE}/a?b=c",
        False,
    )
    assert answer.headers == ((b"content-length", b"2"), (b"x-one", b"1"), (b"x-one", b"2"))
    assert (answer.header(b"x-one"), answer.header(b"x-two")) == (b"1", None)


def test_a_path_of_a_device_arrives_as_it_was_written(client, server) -> None:
    """HyperBEAM's path keys are not rewritten on the way."""
    path = "/~scheduler@1.0/schedule&target=A%3FB&from+integer=0"
    server.answers[path] = reply()
    assert client.get(HERE + path).ok


def test_what_is_posted_arrives_with_its_headers(client, server) -> None:
    """A body of any size is sent whole, with the headers given."""
    server.answers["/tx"] = reply(body=b"{}")
    body = bytes(range(256)) * 1024
    assert client.post(f"{HERE}/tx", body, headers=((b"content-type", b"a/b"),)).json() == {}
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert b"content-type: a/b" in head.lower()
    assert b"host: node.example" in head.lower()
    assert sent == body


def test_connections_are_kept_for_the_next_request(client, server) -> None:
    """Requests to one server, one after the other, use one connection."""
    server.answers["/"] = reply(body=b"again")
    for _ in range(5):
        client.get(f"{HERE}/")
    assert (len(server.requests), server.connections) == (5, 1)


def test_many_threads_ask_at_once(client, server) -> None:
    """A client is shared by threads; each gets the answer to its own question."""
    server.answers |= {f"/{n}": reply(body=b"%d" % n) for n in range(40)}
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: client.get(f"{HERE}/{n}").body, range(40))
    assert list(answers) == [b"%d" % n for n in range(40)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "node.example",
        "/path",
        "//node.example/",
        "http://",
        "http:///path",
        "ftp://node.example/",
        "file:///etc/passwd",
        "gopher://node.example/",
        "http+unix://node.example/",
        "http://user@node.example/",
        "http://user:word@node.example/",
        "http://node.example:99999/",
        "http://node.example:port/",
        "http://node.example/\r\nx: y",
        "http://[::1/",
        "http://\udcff.example/",
    ],
)
def test_what_is_no_plain_url_is_refused(client, internet, url: str) -> None:
    """Other schemes, user names and broken URLs are refused before anything is looked up."""
    with pytest.raises(PeerRefused):
        client.get(url)
    assert internet.connected == []


def test_redirects_are_followed_only_when_asked(client, server) -> None:
    """Whoever does not ask gets the redirect itself."""
    server.answers |= {"/old": redirect("/new"), "/new": reply(body=b"here")}
    assert client.get(f"{HERE}/old").status == 302
    followed = client.get(f"{HERE}/old", follow=True)
    assert (followed.body, followed.url) == (b"here", f"{HERE}/new")


def test_three_redirects_are_followed_and_no_more(client, server) -> None:
    """A chain of three ends well, one of four and a loop do not."""
    server.answers |= {f"/{n}": redirect(f"/{n + 1}", 307) for n in range(4)} | {
        "/4": reply(body=b"end"),
        "/loop": redirect("/loop"),
    }
    assert client.get(f"{HERE}/1", follow=True).body == b"end"
    for start in ("/0", "/loop"):
        with pytest.raises(PeerFailed, match="more than 3 times"):
            client.get(HERE + start, follow=True)
    assert len(server.requests) == 12


def test_a_post_is_repeated_only_where_the_method_stays(client, server) -> None:
    """307 and 308 take the body along; the others are the caller's to judge."""
    server.answers |= {f"/{status}": redirect("/there", status) for status in (301, 302, 303, 307)}
    server.answers["/there"] = reply(body=b"taken")
    assert client.post(f"{HERE}/307", b"body", follow=True).body == b"taken"
    assert server.requests[-1].endswith(b"\r\n\r\nbody")
    for status in (301, 302, 303):
        assert client.post(f"{HERE}/{status}", b"body", follow=True).status == status


@pytest.mark.parametrize(
    "location", ["ftp://node.example/", "http://a@node.example/", "http://node.example:port/"]
)
def test_a_redirect_to_what_is_no_plain_url_is_refused(client, server, location: str) -> None:
    """Where a redirect leads must be a URL that could have been asked for."""
    server.answers["/"] = redirect(location)
    with pytest.raises(PeerRefused):
        client.get(f"{HERE}/", follow=True)


def test_secrets_do_not_follow_to_another_server(client, server, internet) -> None:
    """A redirect elsewhere takes along what is asked for, but no authorization."""
    internet.names["other.example"] = [[PUBLIC]]
    server.answers |= {"/": redirect("http://other.example/there"), "/there": reply()}
    headers = ((b"authorization", b"word"), (b"accept", b"a/b"))
    client.get(f"{HERE}/", headers=headers, follow=True)
    assert b"authorization" in server.requests[0].lower()
    assert b"authorization" not in server.requests[1].lower()
    assert b"a/b" in server.requests[1]


@pytest.mark.guarantee("L2")
def test_an_answer_over_the_limit_is_not_read(asking, server) -> None:
    """The running count decides, whether a length was announced or not."""
    client = asking(max_answer_bytes=1000)
    server.answers |= {
        "/fits": reply(body=bytes(1000)),
        "/announced": reply(body=bytes(1001)),
        "/chunked": b"HTTP/1.1 200 So\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"1F4\r\n%b\r\n" * 3 % (bytes(500), bytes(500), bytes(500)),
        "/endless": pour,
    }
    assert len(client.get(f"{HERE}/fits").body) == 1000
    for path in ("/announced", "/chunked", "/endless"):
        with pytest.raises(PeerTooLarge):
            client.get(HERE + path)


def test_endless_headers_are_not_read(client, server) -> None:
    """A server cannot fill the memory before its body begins, either."""
    server.answers["/"] = pour_headers
    with pytest.raises(PeerFailed):
        client.get(f"{HERE}/")


def test_a_compressed_answer_is_refused(client, server) -> None:
    """A few bytes cannot become many: no encoding is asked for, and none is taken."""
    packed = gzip.compress(bytes(1 << 20))
    server.answers["/"] = reply(body=packed, headers=[("content-encoding", "gzip")])
    with pytest.raises(PeerFailed, match="compressed"):
        client.get(f"{HERE}/")
    assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.guarantee("L1")
@pytest.mark.parametrize("manner", ["silent", "dripping", "early hints"])
def test_a_slow_answer_ends_at_the_deadline(asking, server, manner: str) -> None:
    """One byte at a time never exceeds the time between two bytes; the whole is bounded."""
    stopped = threading.Event()
    pieces = {"silent": b"", "dripping": b"x", "early hints": b"HTTP/1.1 103 Hint\r\n\r\n"}
    first = {"silent": b"", "dripping": b"HTTP/1.1 200 So\r\n\r\n", "early hints": b""}

    def slow(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first[manner])
        while not stopped.wait(0.01):
            connection.sendall(pieces[manner])

    server.answers["/"] = slow
    with pytest.raises(PeerTimeout):
        asking(timeout_seconds=0.2).get(f"{HERE}/")
    stopped.set()


def test_a_server_that_reads_slowly_ends_at_the_deadline(asking, server) -> None:
    """Sending is bounded like receiving: nobody holds us up by taking what we send bit by bit."""
    server.pace = 0.01
    body = bytes(32 << 20)  # more than the system would buffer
    with pytest.raises(PeerTimeout):
        asking(timeout_seconds=1.0).post(f"{HERE}/", body)
    server.pace = 0.0
    server.close()
    received = len(server.requests[0])
    assert received < len(body) // 2


def test_a_caller_may_have_less_patience(client, server) -> None:
    """A deadline around a question holds when it is shorter than the rules'."""
    stopped = threading.Event()
    server.answers["/"] = lambda *_: stopped.wait(60)
    with deadline(0.05), pytest.raises(PeerTimeout):
        client.get(f"{HERE}/")
    stopped.set()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 So\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 So\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 So\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"220 mail.example ESMTP\r\n",
        b"\x00\x01\x02",
    ],
)
def test_what_is_no_http_is_the_peers_failure(client, server, answer: bytes) -> None:
    """A broken or missing answer is told as one, in one line."""

    def close_after(connection: socket.socket, _: bytes) -> None:
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_RDWR)

    server.answers["/"] = close_after
    with pytest.raises(PeerFailed) as failed:
        client.get(f"{HERE}/")
    assert failed.value.code == "peer_failed"
    assert "\n" not in failed.value.detail


def test_an_unreachable_server_is_the_peers_failure(client, internet) -> None:
    """A refused connection is told as one."""
    internet.unreachable = {PUBLIC}
    with pytest.raises(PeerFailed):
        client.get(f"{HERE}/")


def test_an_answer_that_should_be_json_says_so(client, server) -> None:
    """Reading anything else as JSON is the peer's failure."""
    server.answers["/"] = reply(body=b"<html>")
    with pytest.raises(PeerFailed, match="no JSON"):
        client.get(f"{HERE}/").json()


def test_no_proxy_is_taken_from_the_environment(client, server, monkeypatch) -> None:
    """What the environment says about proxies would lead around every check."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    server.answers["/"] = reply(body=b"direct")
    assert client.get(f"{HERE}/").body == b"direct"


@pytest.fixture
def secured(tmp_path) -> Iterator[Callable[[str], Client]]:
    """Clients of a TLS server whose certificate is for `node.example`."""
    ours, theirs = certificate("node.example", tmp_path)
    server = Server(theirs)
    server.answers["/"] = reply(body=b"secret")
    internet = Internet(server)
    clients: list[Client] = []

    def client(name: str, tls: ssl.SSLContext | None = ours) -> Client:
        internet.names[name] = [[PUBLIC]]
        clients.append(Client(Rules(), resolver=internet.resolve, network=internet, tls=tls))
        return clients[-1]

    yield client
    for made in clients:
        made.close()
    server.close()


def test_a_certificate_is_checked_against_the_name(secured) -> None:
    """The address is connected to, but the name in the URL must be the certificate's."""
    assert secured("node.example").get("https://node.example/").body == b"secret"
    with pytest.raises(PeerFailed):
        secured("other.example").get("https://other.example/")
    with pytest.raises(PeerFailed):
        secured("node.example", tls=None).get("https://node.example/")


def pour(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 So\r\n\r\n")
    while True:
        connection.sendall(bytes(1 << 16))


def pour_headers(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 So\r\n")
    while True:
        connection.sendall(b"x-more: more\r\n" * 1000)
