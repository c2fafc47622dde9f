"""Resharding: the same records in another number of shards."""

from __future__ import annotations

from storage.reshard.run import reshard
from storage.reshard.steps import Announce, Outcome, Step

__all__ = ["Announce", "Outcome", "Step", "reshard"]
