"""The messages actors take: frozen, typed and complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pykka

from actors.ticket import Ticket
from protocol.ids import Id
from protocol.message import Verified


@dataclass(frozen=True, slots=True)
class Submit:
    """Give this message a slot.

    Attributes:
        message: verified; it names the process it is for.
        ticket: what the sender waits on; it carries the deadline.
        kept: whether a large body is on the disk already; its process sees to that first.
    """

    message: Verified
    ticket: Ticket
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Detour:
    """A message that goes through the registry, because its process is not live."""

    submit: Submit


@dataclass(frozen=True, slots=True)
class Info:
    """Ask a ProcessActor where it stands; it answers with `ProcessInfo`."""


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """Where a live process stands.

    Attributes:
        process: its ID.
        slot: highest slot given, -1 before the first.
        stored: highest stored slot, -1 before the first.
        outstanding: slots given and not stored.
    """

    process: Id
    slot: int
    stored: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Passivate:
    """Leave memory if no work is outstanding; the store keeps everything."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A ProcessActor tells the registry that it takes nothing more."""

    process: Id
    ref: pykka.ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Busy:
    """A ProcessActor tells the registry that it has work and stays."""

    process: Id


@dataclass(frozen=True, slots=True)
class Landed:
    """Tell a ProcessActor that its slot is stored, so that whoever waits for it has a turn."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Bring a process to life that has pinned slots to sign; sent at start."""

    process: Id
