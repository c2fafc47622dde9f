"""One set of numbers for all programs of a node: each counts in files that all of them read."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

from actors.observer import Observer
from node.metrics.steps import Steps

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where the client library looks for the folder."""


def join(folder: Path, program: str) -> None:
    """Have all metrics that this program makes from now on count in `folder`.

    A program that was started again goes on counting where the last one of its name ended; what
    that one had open is open no more. So the files are as many as the programs, however often
    they start.

    Args:
        folder: of the node, for its owner only.
        program: a name that no other program has which counts there now; without an underscore.
    """
    forget_open(folder, program)
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: program)  # type: ignore[no-untyped-call]


def forget_open(folder: Path, program: str) -> None:
    """Take back what a program has under way by its numbers: it is no more."""
    for file in folder.glob(f"gauge_live*_{program}.db"):
        file.unlink(missing_ok=True)


def everything(folder: Path) -> CollectorRegistry:
    """Return a registry with the numbers of all programs that count in `folder`, added up."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


def counting(folder: Path, program: str) -> Observer:
    """Join `folder`, and return an observer that counts there."""
    join(folder, program)
    return Steps()
