"""A node in the place of the one whose exchanges were recorded: same address, same times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx

from actors import Scheduler
from node.http.request import Headers
from protocol.assignment import Assignment, Block
from protocol.codecs.assignment import of_tabm, signature_data
from protocol.codecs.body_parts import SCHEDULE
from protocol.codecs.httpsig_commitment import from_wire
from protocol.codecs.wire import Wire
from protocol.commitment import HTTPSIG
from protocol.ids import digest_id
from protocol.tabm import Tabm
from protocol.wallet import Wallet
from tests.node.http.service import Service
from tests.protocol.recorded import Json, pairs, raw, vectors

RECORDED = vectors("assignments")
SCHEDULES = {schedule["name"]: schedule for schedule in RECORDED["schedules"]}
TIME = RECORDED["arweave_time"]


class KnownWallet(Wallet):
    """The public half of the recorded scheduler's wallet."""

    def __init__(self, owner: bytes) -> None:
        """Take the modulus."""
        self.owner = owner
        self.address = digest_id(owner)


class Memory:
    """Sign what was signed in the recording, and tell the time at which that was.

    An assignment that differs in one bit has no signature.
    """

    def __init__(self, assignments: list[Assignment]) -> None:
        """Take the recorded assignments of one process."""
        self._signatures = {
            signature_data(assignment, commitment.owner, HTTPSIG): commitment.signature
            for assignment in assignments
            for commitment in assignment.commitments
        }
        self._times = [assignment.timestamp for assignment in assignments]
        self.slot = 0

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        """Return the recorded signature over `data`."""
        assert scheme == "rsa-pss-sha512"
        return self._signatures[data]

    def now(self) -> int:
        """Return when the next slot was given."""
        return self._times[min(self.slot, len(self._times) - 1)]


class RecordedBlock:
    """The block that the recorded node knew."""

    def latest(self) -> Block:
        """Return it."""
        return Block(TIME["height"], TIME["timestamp"], TIME["hash"])

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to stop."""


def assignments_of(schedule: Json) -> list[Assignment]:
    """The recorded assignments of a process, signed."""
    wires = (recorded["wire_linked"] for recorded in schedule["assignments"])
    return [of_tabm(from_wire(Wire(tuple(pairs(wire["headers"]))))) for wire in wires]


def stand_in(service: Service, schedule: Json, folder: Path) -> tuple[Service, Memory]:
    """Return a service in the recorded node's place, with nothing scheduled yet."""
    assignments = assignments_of(schedule)
    memory = Memory(assignments)
    wallet = KnownWallet(assignments[0].commitments[0].owner)
    scheduler = Scheduler.open(
        folder,
        wallet,
        signer=memory,
        clock=memory.now,
        block_clock=RecordedBlock(),
        duplicates="allow",
        commitment_device=HTTPSIG,
    )
    node = replace(
        service.node,
        scheduler=scheduler,
        operator=wallet,
        addresses=(wallet.address,),
        blocks=RecordedBlock(),
    )
    return Service(node), memory


def send(service: Service, exchange: Json) -> httpx.Response:
    """Send a recorded request, byte for byte as far as headers and body go."""
    head, _, body = raw(exchange["request_b64u"]).partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    headers: Headers = []
    for field in lines:
        name, _, value = field.partition(": ")
        headers.append((name.encode("latin-1"), value.encode("latin-1")))
    return service.request(method, target, headers=headers, content=body)


def recorded_message(exchange: Json) -> Tabm:
    """The message of a recorded reply in httpsig, as far as headers and body carry it."""
    reply = exchange["reply"]
    headers = tuple((name.encode(), value.encode()) for name, value in reply["headers"])
    return from_wire(Wire(headers, raw(reply["body_b64u"])), SCHEDULE)
