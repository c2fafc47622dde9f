"""Errors as replies: ``application/problem+json`` (RFC 9457) with the error's stable code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from protocol.errors import SchedulerError, UnexpectedSlot

MEDIA_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed"}


def problem(error: SchedulerError) -> Response:
    """Return the reply that tells of `error`: an ASGI application, too.

    Its body holds `status`, `title`, `code` (for programs) and `detail` (for people). It is
    never cached; `retry-after` is in whole seconds, rounded up.
    """
    headers = {"cache-control": "no-store"}
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    slots = _slots(error) if isinstance(error, UnexpectedSlot) else {}
    headers |= {name: str(slot) for name, slot in slots.items()}
    return _reply(error.status, error.code, error.detail, headers, slots)


def problem_of_http(error: HTTPException) -> Response:
    """Return the reply to a request that no route takes."""
    code = _CODES.get(error.status_code, "refused")
    return _reply(error.status_code, code, error.detail, dict(error.headers or {}))


def problem_of_defect() -> Response:
    """Return the reply when the node met a defect of its own, of which only its log tells."""
    detail = "the node failed; its log says why"
    return _reply(500, "internal_error", detail, {"cache-control": "no-store"})


def _slots(error: UnexpectedSlot) -> dict[str, int]:
    # HyperBEAM's names for them.
    slots = {"expected-slot": error.expected, "unexpected-slot": error.found}
    return {name: slot for name, slot in slots.items() if slot is not None}


def _reply(
    status: int,
    code: str,
    detail: str,
    headers: dict[str, str],
    more: Mapping[str, int] = MappingProxyType({}),
) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        # An error may repeat what the request said, which need not be Unicode.
        "detail": detail.encode("utf-8", "replace").decode(),
        **more,
    }
    return Response(orjson.dumps(body), status, headers, MEDIA_TYPE)
