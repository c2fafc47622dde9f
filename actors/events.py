"""Structured events: one per step of an assignment, quiet until `log.configure` asks for them.

Each step carries what is known of `process`, `slot`, `message`, `stage` (the highest one
reached, by name) and `duration_ms` (since the slot was given).
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import Any, TextIO

from protocol.assignment import Assignment
from protocol.errors import SchedulerError
from protocol.ids import Id
from protocol.message import Encoded, Message, Verified, named_process

LEVELS = ("debug", "info", "warning", "error", "quiet")
"""The lowest level that is written; `quiet` is above all that we use."""


class EventLog:
    """Emit events through structlog, as one JSON object a line.

    The step events of every message are `info`. Below the chosen level a step costs one
    comparison, because steps are on the hot path.

    Attributes:
        level: the lowest level that is written, one of `LEVELS`.
    """

    def __init__(self) -> None:
        self.configure("quiet")

    def configure(self, level: str, stream: TextIO | None = None, **known: Any) -> None:
        """Choose the lowest level that is written, and where to (standard error).

        Args:
            level: one of `LEVELS`.
            stream: None for whatever standard error is when an event is written.
            known: what every event of this program says, such as the number of its shard.
        """
        self.level = level
        name = "critical" if level == "quiet" else level
        threshold = logging.getLevelNamesMapping()[name.upper()]
        self.informs = threshold <= logging.INFO
        self._logger = None if level == "quiet" else _logger(threshold, stream, known)

    def step(self, event: str, **fields: Any) -> None:
        """Tell that one step of one message is done."""
        if self.informs and self._logger is not None:
            self._logger.info(event, **fields)

    def slot(self, event: str, assignment: Assignment, stage: str, **fields: Any) -> None:
        """Tell that one step of a slot is done, or begins."""
        self.step(
            event,
            process=assignment.process,
            slot=assignment.slot,
            message=assignment.message_id,
            stage=stage,
            **fields,
        )

    def failed(self, error: SchedulerError, item: Encoded | Message | Verified) -> None:
        """Tell that a message got no slot, and why."""
        if self.informs:
            self.step("scheduling_failed", code=error.code, reason=error.detail, **_known(item))

    def warning(self, event: str, **fields: Any) -> None:
        """Tell of something an operator should know."""
        if self._logger is not None:
            self._logger.warning(event, **fields)

    def exception(self, event: str, **fields: Any) -> None:
        """Tell of an unexpected exception being handled, with its traceback."""
        if self._logger is not None:
            self._logger.error(event, exc_info=True, **fields)  # noqa: LOG014


def _logger(threshold: int, stream: TextIO | None, known: dict[str, Any]) -> Any:
    # Its import takes a third of what a program of ours takes to start, and most are quiet.
    import structlog

    logger = structlog.wrap_logger(
        _Lines(stream),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=_as_text),
        ],
    )
    return logger.bind(**known)


class _Lines:
    # What structlog writes to. Standard error is looked up at each line: a host program or
    # a test may have replaced it since. A line that cannot be written is lost: whoever read
    # them is gone, or the disk is full, and that ends no thread of ours.

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        # In one piece, so that lines of several threads do not run into each other.
        if (stream := self._stream or sys.stderr) is None:
            return
        with suppress(OSError, ValueError):
            stream.write(line + "\n")
            stream.flush()

    debug = info = warning = error = exception = critical = msg


def _known(item: Encoded | Message | Verified) -> dict[str, Id]:
    # Only for the event: nothing is verified, and what cannot be read has no IDs.
    if isinstance(item, Verified):
        return {"process": item.process, "message": item.message_id}
    known: dict[str, Id] = {}
    with suppress(SchedulerError):
        message = item if isinstance(item, Message) else Message.decode(item)
        known["message"] = message.id
        known["process"] = named_process(message)
    return known


def _as_text(value: Any) -> str:
    return str(value) if isinstance(value, Id) else repr(value)


log = EventLog()
