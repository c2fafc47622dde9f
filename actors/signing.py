"""The signing pool: RSA on all cores, in any order."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Protocol

from actors.flight import Flight
from actors.observer import NOBODY, Observer
from actors.probe import Point, Probe
from protocol.codecs.assignment import commit, scheme, signature_data, verifies
from protocol.commitment import Commitment
from protocol.errors import Fenced
from protocol.ids import Id
from protocol.wallet import Wallet

NICE = 5
"""Signers yield to the threads that feed them; measured as a small gain under full load."""


class Signer(Protocol):
    """Make signatures; injected so that a key may live elsewhere, or nowhere.

    Each signature is verified before it is used (80 us), unless the signer has the attribute
    `trusted` and it is True. A wrong one fences the shard: nothing of it is stored or shown.
    """

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        """Return `wallet`'s signature over `data`; called from several threads at once.

        Args:
            wallet: whose signature it is to be.
            data: what is signed.
            scheme: ``rsa-pss-sha256`` or ``rsa-pss-sha512``; the salt is as long as the digest.
        """


class WalletSigner:
    """Sign with the wallet's own key.

    Attributes:
        trusted: OpenSSL checks its own results before it gives them out.
    """

    trusted = True

    def sign(self, wallet: Wallet, data: bytes, scheme: str) -> bytes:
        """Return the RSA-PSS signature."""
        return wallet.sign(data, scheme)


def is_trusted(signer: Signer) -> bool:
    """Tell whether a signer's signatures are used without a look."""
    return getattr(signer, "trusted", False) is True


class SigningPool:
    """Sign flights on several threads and hand each on when all its signatures are made."""

    def __init__(
        self,
        wallets: Mapping[Id, Wallet],
        signer: Signer,
        threads: int,
        signed: Callable[[Flight, Sequence[Commitment]], None],
        failed: Callable[[BaseException], None],
        probe: Probe,
        observer: Observer = NOBODY,
    ) -> None:
        self._wallets = wallets
        self._signer = signer
        self._trusted = is_trusted(signer)
        self._signed = signed
        self._failed = failed
        self._probe = probe
        self._observer = observer
        self._queue: SimpleQueue[Flight | None] = SimpleQueue()
        self._halted = False
        self._threads = [
            threading.Thread(target=self._run, name=f"signer-{number}", daemon=True)
            for number in range(threads)
        ]

    @property
    def waiting(self) -> int:
        """How many slots nobody has begun to sign."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to sign."""
        for thread in self._threads:
            thread.start()

    def sign(self, flight: Flight) -> None:
        """Queue a flight. Its pin must have been given to the committer before."""
        self._queue.put(flight)

    def halt(self) -> None:
        """Sign nothing more, not even what is queued."""
        self._halted = True

    def stop(self) -> None:
        """Sign what is queued, then end."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _run(self) -> None:
        _yield_to_others()
        while (flight := self._queue.get()) is not None and not self._halted:
            try:
                commitments = [self._commit(flight, address) for address in flight.signers]
                self._probe(Point.AFTER_SIGNING)
            except BaseException as exc:
                self._failed(exc)
                return
            self._signed(flight, commitments)

    def _commit(self, flight: Flight, address: Id) -> Commitment:
        wallet, assignment, device = self._wallets[address], flight.assignment, flight.device
        data = signature_data(assignment, wallet.owner, device)
        began = time.monotonic()
        signature: object = self._signer.sign(wallet, data, scheme(device))
        self._observer.signed(time.monotonic() - began)
        if isinstance(signature, bytes):
            commitment = commit(wallet.owner, signature, device)
            if self._trusted or verifies(assignment, commitment):
                return commitment
        raise Fenced(f"the signer's signature by {address} over {flight} does not verify")


def _yield_to_others() -> None:
    # Linux gives each thread its own nice value; elsewhere this may not be permitted.
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
