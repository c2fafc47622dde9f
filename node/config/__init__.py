"""What an operator can set, and where each value came from."""

from node.config.model import Config
from node.config.sections import (
    Bundler,
    Gateway,
    Limits,
    Log,
    Peers,
    Replies,
    Scheduling,
    Server,
    Store,
)

__all__ = [
    "Bundler",
    "Config",
    "Gateway",
    "Limits",
    "Log",
    "Peers",
    "Replies",
    "Scheduling",
    "Server",
    "Store",
]
