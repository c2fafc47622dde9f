"""The node whose conformance is shown."""

from __future__ import annotations

from tests.node.http.conftest import process, service, services

__all__ = ["process", "service", "services"]
