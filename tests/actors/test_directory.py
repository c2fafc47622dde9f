from __future__ import annotations

from math import inf

import pykka
import pytest

from actors.directory import Directory
from actors.messages import Detour, Submit
from actors.ticket import Ticket
from tests.actors.cheap import message, process_message
from tests.actors.outside import PATIENCE

PROCESSES = [process_message(f"process {number}").process for number in range(3)]


class Mailbox(pykka.ThreadingActor):
    """Stands for a process or for the registry: keeps what it is told."""

    use_daemon_thread = True

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []

    def on_receive(self, message: object) -> None:
        self.told.append(message)


@pytest.fixture
def start():
    refs = []

    def start() -> pykka.ActorRef[Mailbox]:
        refs.append(Mailbox.start())
        return refs[-1]

    yield start
    for ref in refs:
        ref.stop()


@pytest.fixture
def registry(start):
    return start()


@pytest.fixture
def directory():
    return Directory()


def test_a_live_process_is_told_at_once(directory, registry, start) -> None:
    """A message for a live process does not pass the registry."""
    ref, submit = start(), submit_for(0)
    directory.enter(PROCESSES[0], ref)
    directory.send(submit, registry)
    assert (told(ref), told(registry)) == ([submit], [])


def test_what_is_not_live_takes_the_detour(directory, registry) -> None:
    """A message for a process that is not live goes to the registry."""
    submit = submit_for(0)
    directory.send(submit, registry)
    assert told(registry) == [Detour(submit)]


def test_nothing_overtakes_a_detour(directory, registry, start) -> None:
    """While a message is on its way through the registry, later ones follow it there."""
    first, second, third = (submit_for(0, number) for number in range(3))
    ref = start()
    directory.send(first, registry)
    directory.enter(PROCESSES[0], ref)
    directory.send(second, registry)
    directory.arrived(PROCESSES[0])
    directory.arrived(PROCESSES[0])
    directory.send(third, registry)
    assert (told(registry), told(ref)) == ([Detour(first), Detour(second)], [third])


def test_detours_of_one_process_do_not_divert_another(directory, registry, start) -> None:
    """Each process has its own order."""
    ref, submit = start(), submit_for(1)
    directory.send(submit_for(0), registry)
    directory.enter(PROCESSES[1], ref)
    directory.send(submit, registry)
    assert told(ref) == [submit]


@pytest.mark.guarantee("L1")
def test_a_dead_actor_is_told_nothing(directory, registry, start) -> None:
    """A message for a process whose actor died goes where another one is started."""
    ref, submit = start(), submit_for(0)
    directory.enter(PROCESSES[0], ref)
    ref.stop()
    directory.send(submit, registry)
    assert told(registry) == [Detour(submit)]


def test_who_left_is_not_told_any_more(directory, registry, start) -> None:
    """From the moment a process is taken out, its messages go through the registry."""
    ref = start()
    directory.enter(PROCESSES[0], ref)
    assert directory.leave(PROCESSES[0]) is ref
    assert directory.leave(PROCESSES[0]) is None
    directory.send(submit_for(0), registry)
    assert told(ref) == []


def test_a_message_is_a_use(directory, registry, start) -> None:
    """Whoever was told something last is the last to be put to rest."""
    for process in PROCESSES:
        directory.enter(process, start())
    directory.send(submit_for(0), registry)
    assert directory.processes() == [PROCESSES[1], PROCESSES[2], PROCESSES[0]]
    assert directory.longest_idle(2) == [PROCESSES[1], PROCESSES[2]]
    assert directory.longest_idle(-1) == []


def test_a_stopped_registry_is_said_so(directory, registry) -> None:
    """The caller learns that nobody is there, and the way stays clear."""
    registry.stop()
    for _ in range(2):
        with pytest.raises(pykka.ActorDeadError):
            directory.send(submit_for(0), registry)


def submit_for(process: int, number: int = 0) -> Submit:
    return Submit(message(f"message {number}", PROCESSES[process]), Ticket(inf))


def told(ref: pykka.ActorRef[Mailbox]) -> list[object]:
    return ref.proxy().told.get(timeout=PATIENCE)
