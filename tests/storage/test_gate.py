from __future__ import annotations

import threading

import pytest

from protocol.errors import Closed, Fenced
from storage.gate import Gate


def test_the_first_reason_stays() -> None:
    """Who comes later is told why the gate was shut first, each with an error of its own."""
    gate = Gate()
    gate.refuse(Fenced("lost"))
    gate.refuse(Closed("closed"))
    errors = []
    for _ in range(2):
        with pytest.raises(Fenced, match="lost") as caught, gate:
            pass
        errors.append(caught.value)
    assert errors[0] is not errors[1]


def test_draining_waits_for_those_inside() -> None:
    """A resource is closed only after the last one inside has left."""
    gate = Gate()
    steps: list[str] = []

    def close() -> None:
        gate.refuse(Closed())
        gate.drain()
        steps.append("closed")

    closer = threading.Thread(target=close)
    with gate:
        closer.start()
        steps.append("left")
    closer.join()
    assert steps == ["left", "closed"]


def test_an_empty_gate_drains_at_once() -> None:
    """With nobody inside there is nothing to wait for, however often it was used."""
    gate = Gate()
    with gate:
        pass
    gate.refuse(Closed())
    gate.drain()
    assert gate.shut
