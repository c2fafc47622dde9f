"""`inspect FILE`: show what a message file holds and whether its signatures verify."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.message_file import Codec, codec_of, decoded, read_bytes
from node.cli.program import FAILED
from node.cli.screen import plain
from protocol.codecs.ans104 import Item
from protocol.errors import SchedulerError
from protocol.message import Message
from protocol.message_ids import unsigned_id
from protocol.signed import require_signed

Text = str | dict[str, str]
"""UTF-8 as it is; other bytes as ``{"b64u": …}``, base64url without padding."""


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File that holds one message.")],
    codec: Annotated[
        Codec | None, typer.Option(show_default="as it begins", help="Codec of the message.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a message file. Exit code 0 only if its signatures verify.

    Names and values that are not UTF-8 are shown as {"b64u": "..."}; target and anchor are
    base64url of their 32 bytes, empty when absent. The tags of an httpsig message are its
    committed keys; its target is as it was signed, and messages nested in it are left out.
    """
    encoded = read_bytes(file)
    found = report(encoded, codec or codec_of(encoded))
    typer.echo(json.dumps(found) if as_json else as_lines(found))
    raise typer.Exit(0 if found["verified"] else FAILED)


def report(encoded: bytes, codec: Codec) -> dict[str, Any]:
    """Describe a message as the JSON object that `inspect --json` prints.

    A message that cannot be read has an `error` and nulls; one that does not verify has an
    `error` beside what it says about itself.
    """
    try:
        message = decoded(encoded, codec)
        unsigned = message.item.unsigned_id if message.item else unsigned_id(message.tabm)
    except SchedulerError as exc:
        return {**UNREADABLE, "codec": codec.value, "error": described(exc)}
    error = fault(message)
    return {
        "codec": codec.value,
        "id": str(message.id),
        "unsigned_id": str(unsigned),
        "verified": error is None,
        "committers": [str(made.committer) for made in message.commitments],
        **(of_item(message.item) if message.item else of_keys(message.keys)),
        "error": error and described(error),
    }


def of_item(item: Item) -> dict[str, Any]:
    """Describe what an item carries."""
    return {
        "target": base64url(item.target),
        "anchor": base64url(item.anchor),
        "tags": [{"name": text(name), "value": text(value)} for name, value in item.tags],
        "data_size": len(item.data),
    }


def of_keys(keys: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Describe what an httpsig message carries, with the same names."""
    tags = [(name, value) for name, value in keys.items() if name not in (b"target", b"data")]
    return {
        "target": text(keys.get(b"target", b"")),
        "anchor": "",
        "tags": [{"name": text(name), "value": text(value)} for name, value in tags],
        "data_size": len(keys.get(b"data", b"")),
    }


UNREADABLE: dict[str, Any] = {
    "codec": None,
    "id": None,
    "unsigned_id": None,
    "verified": False,
    "committers": [],
    "target": None,
    "anchor": None,
    "tags": [],
    "data_size": None,
    "error": None,
}


def fault(message: Message) -> SchedulerError | None:
    """Return why a message's signatures prove nothing, or None if they verify."""
    try:
        require_signed(message)
    except SchedulerError as exc:
        return exc
    return None


def described(exc: SchedulerError) -> dict[str, str]:
    """An error as programs read it."""
    return {"code": exc.code, "detail": exc.detail}


def text(raw: bytes) -> Text:
    """Bytes without loss: as text if they are UTF-8, else as base64url that says so."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64u": base64url(raw)}


def base64url(raw: bytes) -> str:
    """Bytes as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def as_lines(found: dict[str, Any]) -> str:
    """The same report for people, one fact a line.

    Tags are written as JSON and nothing else is unprintable, so no byte can steer a terminal.
    """
    facts = [(name, found[name]) for name in UNREADABLE if name not in ("tags", "error")]
    tags = [("tag", f"{json.dumps(t['name'])} = {json.dumps(t['value'])}") for t in found["tags"]]
    error = found["error"]
    facts += [*tags, *([("error", f"{error['code']}: {error['detail']}")] if error else [])]
    return "\n".join(f"{name:12} {plain(said(value))}" for name, value in facts)


def said(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)
