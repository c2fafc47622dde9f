"""What a program asks of the system, in order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


class Recorder:
    """Notes what is asked of the system, with names instead of descriptors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[tuple[str, str]] = []
        self._names: dict[int, str] = {}
        opened, written, synced = os.open, os.write, os.fsync

        def open_(path, flags, mode=0o777, **extra):
            descriptor = opened(path, flags, mode, **extra)
            self._names[descriptor] = Path(path).name
            return descriptor

        def write(descriptor, content):
            self.requests.append(("write", self._names[descriptor]))
            return written(descriptor, content)

        def fsync(descriptor):
            self.requests.append(("fsync", self._names[descriptor]))
            return synced(descriptor)

        for name, request in [("open", open_), ("write", write), ("fsync", fsync)]:
            monkeypatch.setattr(os, name, request)
        for name in ("rename", "link", "unlink", "rmdir"):
            monkeypatch.setattr(os, name, self._named(name))

    def _named(self, name):
        do = getattr(os, name)

        def request(*paths, **extra):
            self.requests.append((name, " ".join(Path(path).name for path in paths)))
            return do(*paths, **extra)

        return request
