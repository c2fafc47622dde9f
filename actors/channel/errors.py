"""How a connection says that it is over."""

from __future__ import annotations


class ConnectionLost(Exception):
    """There is no connection, or none any more: what was to be sent was not sent.

    Users never meet it; whoever holds the connection says what it means for a request.
    """
