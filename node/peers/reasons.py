"""Why another server refused something, in its own words."""

from __future__ import annotations

from node.peers.client import Answer
from protocol.errors import PeerFailed

MAX_CHARACTERS = 200
"""Of another server's words that are repeated."""

_NAMES = ("detail", "error", "message")
"""Of RFC 9457, and of the scheduler units of the older network."""


def reason(answer: Answer) -> str:
    """Return the status of an answer, and what its body says about it, if that is JSON."""
    status = f"status {answer.status}"
    try:
        said = answer.json()
    except PeerFailed:
        return status
    words = [said.get(name) for name in _NAMES] if isinstance(said, dict) else []
    text = next((word for word in words if word and isinstance(word, str)), "")
    return f"{status}: {text[:MAX_CHARACTERS]}" if text else status
