"""What Hypercorn has to tell, as events of ours."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from hypercorn.logging import Logger

from actors.events import log


class Reporter(Logger):
    """Stand in for Hypercorn's loggers: one event a request, and what went wrong."""

    def __init__(self, config: Any) -> None:
        self.access_logger = None
        self.error_logger = None

    async def access(self, request: Any, response: Any, request_time: float) -> None:
        """Tell of a request that was answered, or whose client left before."""
        if log.informs:
            log.step(
                "request",
                method=request.get("method", "CONNECT"),
                path=request["path"],
                status=None if response is None else response["status"],
                http=request.get("http_version"),
                client=(request.get("client") or [None])[0],
                duration_ms=round(request_time * 1000, 3),
            )

    async def exception(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Tell of an exception that the application let through, with its traceback."""
        log.exception("application_failed", said=message)

    async def warning(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Tell of what the server does not like."""
        log.warning("server_warns", said=message)

    error = critical = warning


def report_lost(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Be a loop's exception handler: what is lost is one line and no traceback."""
    error = context.get("exception")
    if not isinstance(error, ssl.SSLError | ConnectionError | asyncio.CancelledError):
        log.warning("event_loop", said=context.get("message"), error=repr(error))
