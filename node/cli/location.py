"""`location register|show`: where a node says it is to be found."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from node.cli.far import ANSWER_SECONDS
from node.cli.options import options
from node.cli.screen import plain
from node.peers.client import Answer, Client
from node.peers.locations import PATH
from node.peers.reasons import reason
from node.peers.rules import Rules
from protocol.codecs.httpsig_commitment import from_wire
from protocol.codecs.structured import Scalar
from protocol.codecs.wire import Wire
from protocol.errors import InvalidInput, MalformedItem, NotFound, PeerFailed
from protocol.ids import Id
from protocol.location import TYPE, Location, location_of
from protocol.message import Message
from protocol.wallet import Wallet

app = typer.Typer(no_args_is_help=True, help="Where schedulers are to be found.")

DEFAULT_NODE = "http://127.0.0.1:8734"
NOT_FOUND, BROKEN = 404, 500
_ITEM = ((b"content-type", b"application/ans104"), (b"codec-device", b"ans104@1.0"))
_INLINE = ((b"accept-bundle", b"true"), (b"require-codec", b"httpsig@1.0"))

Node = Annotated[str, typer.Option("--node", metavar="URL", help="The node to ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
def register(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="How others reach the node.")],
    node: Node = DEFAULT_NODE,
    nonce: Annotated[
        int | None, typer.Option(min=0, show_default="the next one", help="Number of the record.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Have a node sign, publish and announce a new record of where it is.

    The request is signed by the operator: --wallet is the wallet that the node was started with.
    """
    keys: dict[str, Scalar] = {"Data-Protocol": "ao", "Type": TYPE, "url": url}
    if nonce is not None:
        keys["nonce"] = nonce
    operator = Wallet.load(options(context).wallet)
    found = ask(node, PATH, Message.create(keys, operator).encoded)
    # A record of anything else may be true, and is no answer.
    asked = (operator.address, url.rstrip("/"), found.nonce if nonce is None else nonce)
    if (found.signer, found.url, found.nonce) != asked:
        raise PeerFailed(
            f"the node answered with record {found.nonce} of {found.signer} at {found.url}"
        )
    say(found, as_json=as_json)


@app.command()
def show(
    address: Annotated[
        Id | None,
        typer.Argument(parser=Id.parse, metavar="ADDRESS", show_default="the node's own"),
    ] = None,
    node: Node = DEFAULT_NODE,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the newest record of a scheduler that a node knows, its signature verified."""
    query = f"?address={address}" if address else ""
    found = ask(node, PATH + query)
    if address not in (None, found.signer):
        raise PeerFailed(f"the node answered with a record of {found.signer}")
    say(found, as_json=as_json)


def ask(node: str, path: str, item: bytes = b"") -> Location:
    """Ask a node for a record, or post a request for one; verify what it answers.

    Raises:
        NotFound: it knows none.
        InvalidInput: it refuses what was posted.
        InvalidSignature, MalformedItem: what it answers is no record.
        PeerFailed, PeerRefused: it cannot be asked.
    """
    address = node.rstrip("/") + path
    with Client(Rules(timeout_seconds=ANSWER_SECONDS).trusting(address)) as client:
        if item:
            return record(client.post(address, item, headers=(*_ITEM, *_INLINE)))
        return record(client.get(address, headers=_INLINE))


def record(answer: Answer) -> Location:
    """Read a record from an answer. Raises as `ask` does."""
    if answer.status == NOT_FOUND:
        raise NotFound("the node knows no such record")
    if answer.status >= BROKEN:
        raise PeerFailed(f"the node answered with {reason(answer)}")
    if not answer.ok:
        raise InvalidInput(f"the node refuses: {reason(answer)}")
    return location_of(_message(answer))


def _message(answer: Answer) -> Message:
    # What was signed as an item may come as that item, whatever was asked for.
    if answer.header(b"content-type") == b"application/ans104":
        return Message.decode(answer.body)
    reply = from_wire(Wire(answer.headers, answer.body))
    found = reply.get(b"body", reply)
    if isinstance(found, bytes):
        raise MalformedItem("the node answered with something that is no record")
    return Message.of_tabm(found)


def say(found: Location, *, as_json: bool) -> None:
    """Print a record."""
    facts: dict[str, Any] = {
        "address": str(found.signer),
        "url": found.url,
        "nonce": found.nonce,
        "time_to_live_ms": found.time_to_live,
        "variant": found.variant,
    }
    lines = "\n".join(plain(f"{name:16} {value}") for name, value in facts.items())
    typer.echo(json.dumps(facts) if as_json else lines)
