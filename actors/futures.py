"""A light Pykka future that calls back when it is completed."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TypeVar

from pykka import Future, Timeout

from actors.events import log

T = TypeVar("T")
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class StageFuture(Future[T]):
    """Hold the outcome of one stage. The first completion wins, later ones are ignored.

    A Pykka `Future` in every respect, at a quarter of the cost of `ThreadingFuture`: no
    condition variable exists until somebody has to wait.
    """

    # What most futures never change stands on the class: three of them are made per request.
    _done = False
    _value: T | None = None
    _error: BaseException | None = None
    # Released, or called, once the outcome stands; only touched under the lock.
    _waiters: tuple[threading.Lock, ...] = ()
    _callbacks: tuple[Callable[[StageFuture[T]], None], ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    @property
    def done(self) -> bool:
        """Whether there is an outcome: a value or an error."""
        return self._done

    @property
    def error(self) -> BaseException | None:
        """The error it ended with, None while it is pending or when it has a value."""
        return self._error

    def complete(self, value: T) -> bool:
        """Give the value; return whether this was the first completion."""
        return self._end(value, None)

    def fail(self, error: BaseException) -> bool:
        """Give an error instead of a value; return whether this was the first completion."""
        return self._end(None, error)

    def add_done_callback(self, callback: Callable[[StageFuture[T]], None]) -> None:
        """Call `callback(self)` once there is an outcome, at once if there is one already.

        It runs in the completing thread, which has other requests to serve: hand over and
        return. What it raises is logged and dropped.
        """
        with self._lock:
            if not self._done:
                self._callbacks += (callback,)
                return
        self._call(callback)

    def get(self, *, timeout: float | None = None) -> T:
        """Return the value, waiting for it at most `timeout` seconds.

        Raises:
            pykka.Timeout: no outcome in time; the request goes on.
            SchedulerError: what the request ended with.
        """
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        if not self._done:
            self._wait(timeout)
        if self._error is not None:
            # One error may be raised in several threads: each starts its own traceback.
            raise self._error.with_traceback(None)
        return self._value  # type: ignore[return-value]

    def set(self, value: T | None = None) -> None:
        """Complete as Pykka does: a second time is an error.

        Raises:
            RuntimeError: there is an outcome already.
        """
        if not self._end(value, None):
            raise RuntimeError("the future already has an outcome")

    def set_exception(self, exc_info: ExcInfo | None = None) -> None:
        """Fail as Pykka does, with `exc_info` or the exception being handled.

        Raises:
            RuntimeError: there is an outcome already, or there is no exception.
        """
        error = (exc_info or sys.exc_info())[1]
        if error is None or not self._end(None, error):
            raise RuntimeError("the future already has an outcome, or there is no exception")

    def __await__(self) -> Generator[None, None, T]:
        """Wait without blocking the event loop."""
        loop = asyncio.get_running_loop()
        if self._get_hook is not None:
            # What `map` and its like return is worked out by `get`: a thread waits for us.
            return (yield from loop.run_in_executor(None, self.get).__await__())
        ready: asyncio.Future[None] = loop.create_future()

        def wake(_: StageFuture[T]) -> None:
            # A loop that was closed meanwhile has nobody left to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_release, ready)

        self.add_done_callback(wake)
        yield from ready
        return self.get()

    __iter__ = __await__

    def _end(self, value: T | None, error: BaseException | None) -> bool:
        if self.done:
            return False
        with self._lock:
            if self._done:
                return False
            self._value = value
            self._error = error
            self._done = True
            waiters, callbacks = self._waiters, self._callbacks
        for waiter in waiters:
            waiter.release()
        for callback in callbacks:
            self._call(callback)
        return True

    def _wait(self, timeout: float | None) -> None:
        waiter = threading.Lock()
        waiter.acquire()
        with self._lock:
            if self._done:
                return
            self._waiters += (waiter,)
        if not waiter.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            raise Timeout(f"{timeout} seconds")

    def _call(self, callback: Callable[[StageFuture[T]], None]) -> None:
        try:
            callback(self)
        except Exception:
            log.exception("callback_failed")


def _release(ready: asyncio.Future[None]) -> None:
    # Whoever waited may have been cancelled meanwhile.
    if not ready.done():
        ready.set_result(None)
