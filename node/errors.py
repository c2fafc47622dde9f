"""Errors that only the program meets: requests that are no messages yet, and its configuration."""

from __future__ import annotations

from protocol.errors import InvalidInput, Refused, Unavailable


class MalformedRequest(InvalidInput):
    """The request can be read in more than one way, or in none."""

    code = "malformed_request"


class UnsupportedMethod(InvalidInput):
    """Nothing here takes requests of this method."""

    code = "method_not_allowed"
    status = 405


class HeadersTooLarge(InvalidInput):
    """The request has more headers, or longer ones, than are read."""

    code = "headers_too_large"
    status = 431


class UnsupportedEncoding(InvalidInput):
    """The request has a content-encoding; bodies are taken as they are."""

    code = "unsupported_content_encoding"
    status = 415


class RequestTimeout(InvalidInput):
    """The body of the request did not come in time."""

    code = "request_timeout"
    status = 408


class RateLimited(Refused):
    """Too many requests of this address or this signer; nothing was assigned."""

    code = "rate_limited"
    status = 429
    retry_after = 1.0


class ConfigInvalid(Unavailable):
    """The configuration cannot be used."""

    code = "config_invalid"
    status = 500
