from __future__ import annotations

import pytest

from node.peers.deadline import deadline, remaining
from node.peers.retries import ATTEMPTS, retried
from protocol.errors import PeerFailed, PeerRefused, PeerTimeout, PeerTooLarge


class Asked:
    """Fails as it is told, then answers; counts."""

    def __init__(self, *failures: Exception) -> None:
        self.times = 0
        self._failures = list(failures)

    def __call__(self) -> str:
        self.times += 1
        if self._failures:
            raise self._failures.pop(0)
        return "answer"


def test_a_failure_for_the_moment_is_tried_again() -> None:
    """The answer counts, not the failures before it; each pause may be longer than the last."""
    pauses: list[float] = []
    assert retried(Asked(PeerFailed(), PeerFailed()), pause=pauses.append) == "answer"
    assert len(pauses) == 2
    assert pauses[0] < pauses[1]


def test_the_last_failure_is_told() -> None:
    """After some attempts the failure is the caller's to handle."""
    asked = Asked(*(PeerFailed(str(n)) for n in range(10)))
    with pytest.raises(PeerFailed, match=str(ATTEMPTS - 1)):
        retried(asked, pause=lambda _: None)
    assert asked.times == ATTEMPTS


@pytest.mark.parametrize("failure", [PeerTimeout(), PeerTooLarge(), PeerRefused(), ValueError()])
def test_what_will_not_get_better_is_not_tried_again(failure: Exception) -> None:
    """A server that hangs or says too much does so again, and a forbidden URL stays forbidden."""
    asked = Asked(failure)
    with pytest.raises(type(failure)):
        retried(asked, pause=lambda _: None)
    assert asked.times == 1


def test_no_pause_outlasts_the_deadline() -> None:
    """When the time is up, the attempts are over."""
    asked = Asked(PeerFailed(), PeerFailed())
    with deadline(0), pytest.raises(PeerTimeout):
        retried(asked, pause=lambda _: None)
    assert asked.times == 1


def test_the_shorter_of_two_deadlines_holds() -> None:
    """A deadline inside another cannot extend it, and is over when it is left."""
    with deadline(50):
        with deadline(100):
            assert remaining() <= 50
        with deadline(1):
            assert remaining() <= 1
        assert 1 < remaining() <= 50
    assert remaining() == float("inf")
