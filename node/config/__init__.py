"""What an operator can set, and where each value came from."""

from node.config.loading import Loaded, load
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
from node.errors import ConfigInvalid

__all__ = [
    "Bundler",
    "Config",
    "ConfigInvalid",
    "Gateway",
    "Limits",
    "Loaded",
    "Log",
    "Peers",
    "Replies",
    "Scheduling",
    "Server",
    "Store",
    "load",
]
