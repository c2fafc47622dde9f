"""Verification: prove from disk alone that a store keeps its guarantees."""

from __future__ import annotations

from storage.verify.report import Fault, Problem, Report
from storage.verify.store import verify_store

__all__ = ["Fault", "Problem", "Report", "verify_store"]
