from __future__ import annotations

from node.limits import refusals
from protocol.errors import SchedulerError

STABLE = {
    "MalformedRequest": ("malformed_request", 400, None),
    "UnsupportedMethod": ("method_not_allowed", 405, None),
    "HeadersTooLarge": ("headers_too_large", 431, None),
    "UnsupportedEncoding": ("unsupported_content_encoding", 415, None),
    "RequestTimeout": ("request_timeout", 408, None),
    "RateLimited": ("rate_limited", 429, 1.0),
}
"""Class: code, HTTP status, seconds until a retry is sensible. Released entries never change."""


def test_codes_are_stable() -> None:
    """Programs match on codes, so codes never change."""
    found = {
        name: (made.code, made.status, made.retry_after)
        for name, made in vars(refusals).items()
        if isinstance(made, type)
        and issubclass(made, SchedulerError)
        and made.__module__ == refusals.__name__
    }
    assert found == STABLE
