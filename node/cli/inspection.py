"""`inspect FILE`: show what a message file holds and whether its signature verifies."""

from __future__ import annotations

import json
import os
import stat
from base64 import urlsafe_b64encode
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.program import FAILED
from protocol.codecs import ans104
from protocol.errors import InvalidInput, InvalidSignature, SchedulerError

Text = str | dict[str, str]
"""UTF-8 as it is; other bytes as ``{"b64u": …}``, base64url without padding."""


class Codec(StrEnum):
    """The codecs that can be inspected."""

    ANS104 = "ans104"


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File that holds one message.")],
    codec: Annotated[Codec, typer.Option(help="Codec of the message.")] = Codec.ANS104,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a message file. Exit code 0 only if its signature verifies.

    Names and values that are not UTF-8 are shown as {"b64u": "..."}; target and anchor are
    base64url of their 32 bytes, empty when absent.
    """
    found = report(read_item(file), codec)
    typer.echo(json.dumps(found) if as_json else as_lines(found))
    raise typer.Exit(0 if found["verified"] else FAILED)


def read_item(file: Path) -> bytes:
    """Read a file, as far as is needed to tell that it is too large.

    Raises:
        InvalidInput: it is no regular file.
        OSError: it cannot be read.
    """
    with open(file, "rb", opener=_without_waiting) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise InvalidInput(f"{file} is not a regular file")
        return opened.read(ans104.MAX_ITEM_BYTES + 1)


def _without_waiting(path: str, flags: int) -> int:
    # Opening a pipe would wait for somebody to write into it.
    return os.open(path, flags | os.O_NONBLOCK)


def report(encoded: bytes, codec: Codec) -> dict[str, Any]:
    """Describe a message as the JSON object that `inspect --json` prints.

    A message that cannot be read has an `error` and nulls; one that does not verify has an
    `error` beside what it says about itself.
    """
    try:
        item = ans104.parse(encoded)
    except SchedulerError as exc:
        return {**UNREADABLE, "codec": codec.value, "error": described(exc)}
    error = fault(item)
    return {
        "codec": codec.value,
        "id": str(item.id),
        "unsigned_id": str(item.unsigned_id),
        "verified": error is None,
        "committers": [str(item.owner_address)],
        "target": base64url(item.target),
        "anchor": base64url(item.anchor),
        "tags": [{"name": text(name), "value": text(value)} for name, value in item.tags],
        "data_size": len(item.data),
        "error": error and described(error),
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


def fault(item: ans104.Item) -> SchedulerError | None:
    """Return why the item's signature proves nothing, or None if it verifies."""
    try:
        return None if item.verify() else InvalidSignature("the signature does not verify")
    except SchedulerError as exc:
        return exc


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

    Everything from the message is written as JSON, so no byte of it can steer a terminal.
    """
    facts = [(name, found[name]) for name in UNREADABLE if name not in ("tags", "error")]
    tags = [("tag", f"{json.dumps(t['name'])} = {json.dumps(t['value'])}") for t in found["tags"]]
    error = found["error"]
    facts += [*tags, *([("error", f"{error['code']}: {error['detail']}")] if error else [])]
    return "\n".join(f"{name:12} {said(value)}" for name, value in facts)


def said(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value)
