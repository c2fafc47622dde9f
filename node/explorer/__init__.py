"""The explorer page: static files that ask the node they come from, and no other host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from node.node import Node

FILES = Path(__file__).parent / "static"
POLICY = "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
"""Nothing is loaded from, sent to or framed from anywhere else."""

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


class PageRoute(Route):
    """The root for browsers; programs that ask for it get what older schedulers answer."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take a request for a page, and leave every other to the next route."""
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if not wants_page or scope["query_string"]:
            return Match.NONE, {}
        return super().matches(scope)


class PageFiles(StaticFiles):
    """The page's own files, under the same policy."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Return one file."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(_HEADERS)
        return response


def routes(_node: Node) -> Sequence[BaseRoute]:
    """Return the routes of the page; it asks the node through its other routes."""
    return [
        PageRoute("/", _page, methods=["GET"]),
        Mount("/explorer", PageFiles(directory=FILES)),
    ]


async def _page(_request: Request) -> Response:
    return FileResponse(FILES / "index.html", headers=_HEADERS)
