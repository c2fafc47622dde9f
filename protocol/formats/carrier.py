"""The data item that carries an assignment of the older network."""

from __future__ import annotations

from protocol.assignment import LEGACY_VARIANT, Assignment
from protocol.codecs import ans104
from protocol.codecs.ans104 import Item
from protocol.codecs.assignment import encode
from protocol.formats.shown import shown_commitment


def carrier(assignment: Assignment) -> Item | None:
    """Return the signed item of an assignment of variant ``ao.TN.1``, None of any other.

    Only there do names and order of the tags, and the anchor, matter to who reads them.
    """
    if assignment.variant != LEGACY_VARIANT:
        return None
    return ans104.parse(encode(assignment, shown_commitment(assignment.commitments)))
