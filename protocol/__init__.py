"""Bytes and rules of AO scheduling: pure functions and values."""

from protocol import errors
from protocol.assignment import Assignment, Block
from protocol.commitment import Commitment
from protocol.ids import Id
from protocol.message import Message, Verified, verify
from protocol.wallet import Wallet

__all__ = [
    "Assignment",
    "Block",
    "Commitment",
    "Id",
    "Message",
    "Verified",
    "Wallet",
    "errors",
    "verify",
]
