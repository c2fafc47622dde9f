"""`spawn FILE` and `send FILE`: schedule one signed message, and tell what became of it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from actors import Scheduler, SchedulingMode, Stage
from node.cli.far import FarNode, NodeUrl
from node.cli.message_file import codec_of, decoded, read_bytes
from node.cli.options import Options, options
from protocol.assignment import Assignment
from protocol.errors import InvalidInput, SchedulerError, SchedulingDisabled
from protocol.message import Verified, verify
from protocol.wallet import Wallet
from storage import stored_shards
from storage.layout import Layout
from storage.manifest import require_manifest

SHORT_NAMES = {"local": "local_confirmation", "remote": "remote_confirmation"}


def mode_named(name: str) -> SchedulingMode:
    """Return the confirmation mode of a short or a full name."""
    try:
        return SchedulingMode(SHORT_NAMES.get(name, name))
    except ValueError:
        raise typer.BadParameter(f"{name!r} is none of aggressive, local, remote") from None


File = Annotated[Path, typer.Argument(metavar="FILE", help="A signed message, ANS-104 or httpsig.")]
Mode = Annotated[
    SchedulingMode,
    typer.Option(
        parser=mode_named,
        metavar="aggressive|local|remote",
        show_default="local",
        help="Which confirmation to wait for.",
    ),
]
LOCAL = SchedulingMode.LOCAL_CONFIRMATION
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def spawn(
    context: typer.Context,
    file: File,
    mode: Mode = LOCAL,
    node: NodeUrl = "",
    *,
    as_json: Json = False,
) -> None:
    """Start the schedule of a process: its own message gets slot 0.

    The process must name the scheduler's wallet. The store is created if there is none.
    """
    message = verified(file)
    if not message.is_process:
        raise InvalidInput(f"{file} is not a message of type Process: use send")
    if node:
        schedule_far(node, message, mode, as_json=as_json)
    else:
        schedule(options(context), message, mode, as_json=as_json)


def send(
    context: typer.Context,
    file: File,
    mode: Mode = LOCAL,
    node: NodeUrl = "",
    *,
    as_json: Json = False,
) -> None:
    """Give a message the next slot of the process it is for.

    A message that has its slot already gets the same answer again.
    """
    message = verified(file)
    if message.is_process:
        raise InvalidInput(f"{file} is a message of type Process: use spawn")
    if node:
        schedule_far(node, message, mode, as_json=as_json)
        return
    chosen = options(context)
    require_manifest(Layout(chosen.data))  # a mistyped --data must not become a new store
    schedule(chosen, message, mode, as_json=as_json)


def verified(file: Path) -> Verified:
    """Read a message and check it, before any store is touched."""
    encoded = read_bytes(file)
    return verify(decoded(encoded, codec_of(encoded)))


def schedule(chosen: Options, message: Verified, mode: SchedulingMode, *, as_json: bool) -> None:
    """Schedule a message and print the answer as soon as its stage is reached."""
    wallet = () if mode is SchedulingMode.DISABLED else Wallet.load(chosen.wallet)
    shards = programs_of(chosen.data)
    with Scheduler.open(chosen.data, wallet, mode, shards=shards) as scheduler:
        found = answer(scheduler.assign(message), mode.stage)
        typer.echo(json.dumps(found) if as_json else as_lines(found))
        # Asking again waits for the receipt. This program is about to end, and what it left
        # unpublished would wait for the next one that writes.
        with suppress(SchedulerError):
            scheduler.assign(message, Stage.PUBLISHED)


def programs_of(data: Path) -> int:
    """Return how many shards a store is opened with: 0 where this program does it alone."""
    shards = stored_shards(data) or 1
    return shards if shards > 1 else 0


def schedule_far(url: str, message: Verified, mode: SchedulingMode, *, as_json: bool) -> None:
    """Have a node schedule a message, and print its slot as read back and checked."""
    if mode is SchedulingMode.DISABLED:
        raise SchedulingDisabled()
    with FarNode(url) as node:
        entry, stage = node.schedule(message, mode)
        found = answer(entry.assignment, stage)
    typer.echo(json.dumps(found) if as_json else as_lines(found))


def answer(assignment: Assignment, stage: Stage) -> dict[str, Any]:
    """Describe an assignment as `--json` prints it.

    The assignment's ID is null while it may still change: before it is stored.
    """
    return {
        "process": str(assignment.process),
        "slot": assignment.slot,
        "message_id": str(assignment.message_id),
        "link": assignment.link,
        "assignment_id": str(assignment.id) if stage >= Stage.STORED else None,
        "stage": stage.name.lower(),
    }


def as_lines(found: dict[str, Any]) -> str:
    """The same for people, one fact a line."""
    return "\n".join(f"{name:14} {value}" for name, value in found.items() if value is not None)
