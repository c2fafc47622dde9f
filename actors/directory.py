"""The directory of live processes: how a message reaches its actor without a detour."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from itertools import islice
from typing import Any

import pykka

from actors.messages import Detour, Submit
from actors.process import ProcessActor
from protocol.ids import Id

ProcessRef = pykka.ActorRef[ProcessActor]


class Directory:
    """Know which processes are live. The registry changes it, callers only send through it.

    A message is told to an actor under the same lock under which the registry takes the
    actor out before it asks it to leave. So nothing is ever told to an actor that may be
    stopping, and a message for a live process needs one hop between threads instead of two.
    The lock is held for a look-up and a `tell`, and never while anything waits.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Least recently used first.
        self._live: OrderedDict[Id, ProcessRef] = OrderedDict()
        # Messages on their way through the registry. Later ones for the same process must
        # follow them there, or they would overtake.
        self._detours: dict[Id, int] = {}

    def send(self, submit: Submit, registry: pykka.ActorRef[Any]) -> None:
        """Tell a message to its process, through the registry if that is not live.

        Raises:
            pykka.ActorDeadError: the registry has stopped.
        """
        process = submit.message.process
        with self._lock:
            ref = self._live.get(process)
            if ref is not None and process not in self._detours:
                # One that died is replaced by the registry.
                with suppress(pykka.ActorDeadError):
                    ref.tell(submit)
                    self._live.move_to_end(process)
                    return
            registry.tell(Detour(submit))
            self._detours[process] = self._detours.get(process, 0) + 1

    def arrived(self, process: Id) -> None:
        """Learn that one message of `process` has taken its detour."""
        with self._lock:
            left = self._detours.pop(process) - 1
            if left:
                self._detours[process] = left

    def get(self, process: Id) -> ProcessRef | None:
        """Return the actor of a live process."""
        return self._live.get(process)

    def enter(self, process: Id, ref: ProcessRef) -> None:
        """Make a process known as the most recently used one."""
        with self._lock:
            self._live[process] = ref

    def leave(self, process: Id) -> ProcessRef | None:
        """Take a process out; from here on nobody tells its actor anything."""
        with self._lock:
            return self._live.pop(process, None)

    def longest_idle(self, count: int) -> list[Id]:
        """Return the `count` processes that were not used for the longest time."""
        with self._lock:
            return list(islice(self._live, max(0, count)))

    def processes(self) -> list[Id]:
        """Return the live processes, least recently used first."""
        with self._lock:
            return list(self._live)

    def __len__(self) -> int:
        return len(self._live)
