"""What is wrong with a configuration."""

from __future__ import annotations

from protocol.errors import Unavailable


class ConfigInvalid(Unavailable):
    """The configuration cannot be used."""

    code = "config_invalid"
    status = 500
