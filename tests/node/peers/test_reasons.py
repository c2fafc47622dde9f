from __future__ import annotations

import pytest

from node.peers.client import Answer
from node.peers.reasons import MAX_CHARACTERS, reason


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"code": "no_target", "detail": "names no process"}', ": names no process"),
        (b'{"error": "Process not found"}', ": Process not found"),
        (b'{"detail": "", "message": "busy"}', ": busy"),
        (b'{"detail": {"why": 1}, "error": 7}', ""),
        (b'["detail"]', ""),
        (b"<html>", ""),
        (b"", ""),
        (b'{"detail": "%s"}' % (b"x" * 1000), ": " + "x" * MAX_CHARACTERS),
    ],
)
def test_a_server_says_why_in_its_own_words(body: bytes, told: str) -> None:
    """As problem details or as a scheduler unit does; else the status is all there is."""
    assert reason(Answer(400, (), body, "http://node.example/")) == f"status 400{told}"
