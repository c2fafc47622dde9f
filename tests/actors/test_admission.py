from __future__ import annotations

import threading

import pytest

from actors.admission import Admission
from protocol.errors import Overloaded

pytestmark = pytest.mark.guarantee("L2")


def test_requests_are_bounded_in_number() -> None:
    """The request past the bound is refused, and takes no room."""
    admission = Admission(max_requests=2, max_bytes=100)
    admission.enter(1)
    admission.enter(1)
    with pytest.raises(Overloaded):
        admission.enter(1)
    assert (admission.requests, admission.bytes) == (2, 2)


def test_requests_are_bounded_in_bytes() -> None:
    """The bytes of all requests together stay below their bound."""
    admission = Admission(max_requests=10, max_bytes=100)
    admission.enter(60)
    with pytest.raises(Overloaded):
        admission.enter(41)
    admission.enter(40)
    assert (admission.requests, admission.bytes) == (2, 100)


def test_the_refusal_says_when_to_try_again() -> None:
    """An overloaded scheduler is worth another try, in a while."""
    admission = Admission(max_requests=0, max_bytes=100)
    with pytest.raises(Overloaded) as caught:
        admission.enter(1)
    assert caught.value.retry_after
    assert caught.value.retry_after > 0


def test_room_given_back_is_taken_again() -> None:
    """When a request leaves, the next one fits."""
    admission = Admission(max_requests=1, max_bytes=100)
    admission.enter(100)
    admission.leave(100)
    admission.enter(100)
    assert (admission.requests, admission.bytes) == (1, 100)


def test_one_request_always_fits() -> None:
    """A message larger than the bound is not refused for ever: alone it is let in."""
    admission = Admission(max_requests=2, max_bytes=10)
    admission.enter(1000)
    with pytest.raises(Overloaded):
        admission.enter(1)


def test_counting_survives_many_threads() -> None:
    """Whoever enters and leaves from whatever thread, nothing is left over."""
    admission = Admission(max_requests=1000, max_bytes=10_000)

    def come_and_go() -> None:
        for _ in range(500):
            admission.enter(3)
            admission.leave(3)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (admission.requests, admission.bytes) == (0, 0)
