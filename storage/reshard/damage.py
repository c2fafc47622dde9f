"""The one reason to give a resharding up by itself."""

from __future__ import annotations


class Damaged(Exception):
    """What was copied, or would be, is not in order; the text says what and where."""
