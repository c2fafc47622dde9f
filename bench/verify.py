"""`bench verify`: how fast a store is verified, beside the floor of its RSA verifications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from actors import Scheduler, Stage
from bench.floor import CORES, Crypto, average, measure
from bench.items import Mail, Stranger
from bench.load import Load
from bench.stand_ins import CountingUploader
from protocol.wallet import Wallet
from storage.verify import Report, verify_store

IN_FLIGHT = 64
FLOOR_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Verification:
    """What `bench verify` found; the fields are those of the JSON.

    Attributes:
        cores: of this machine.
        assignments: verified; each is one signature more than its message's.
        signatures: verified.
        seconds: of the whole verification, with everything that is no signature.
        per_second: signatures verified a second.
        floor_per_second: RSA verifications a second when nothing else is done.
        floor_ratio: of the two.
    """

    cores: int
    assignments: int
    signatures: int
    seconds: float
    per_second: float
    floor_per_second: float
    floor_ratio: float


def verify(data: Path, assignments: int, announce: Callable[[str], None]) -> Verification:
    """Verify a store of one process whose assignments are all signed for real.

    Args:
        data: folder on the disk to measure. The store stays there and is used again.
        assignments: in the store.
        announce: is told what comes next.

    Raises:
        RuntimeError: the verification found something wrong.
    """
    store = data / f"signed-{assignments}"
    if not store.exists():
        announce(f"signing and scheduling {assignments:,} messages, once for this folder")
        _make(store, assignments)
    announce(f"verifying {assignments:,} assignments")
    wallet = Wallet.generate()
    crypto = Crypto(wallet, wallet)
    before = measure(crypto.verify, FLOOR_SECONDS)
    report = verify_store(store)
    floor = average([before, measure(crypto.verify, FLOOR_SECONDS)])
    return _found(report, floor.per_second)


def _make(store: Path, assignments: int) -> None:
    wallet = Wallet.generate()
    mail = Mail(Stranger(Wallet.generate()), wallet.address)
    store.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=store.parent, prefix="signed-") as folder:
        made = Path(folder) / "store"
        with Scheduler.open(made, wallet, uploader=CountingUploader(0.0)) as scheduler:
            process = scheduler.assign(mail.spawns(1)[0]).process
            items = mail.messages([process], assignments - 1)
            Load(scheduler.schedule, Stage.PUBLISHED, IN_FLIGHT).run(items)
        # Only whole stores get the name under which they are used again.
        made.rename(store)


def _found(report: Report, floor: float) -> Verification:
    if not report.ok:
        raise RuntimeError(f"the store does not verify: {report.problems[0]}")
    per_second = report.signatures / report.seconds
    return Verification(
        cores=CORES,
        assignments=report.assignments,
        signatures=report.signatures,
        seconds=report.seconds,
        per_second=per_second,
        floor_per_second=floor,
        floor_ratio=per_second / floor,
    )
