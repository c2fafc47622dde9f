"""What a node proves who it is with."""

from __future__ import annotations

import ssl

from node.config import ConfigInvalid, Server

PROTOCOLS = ["h2", "http/1.1"]
"""In the order of preference; clients choose by ALPN. RFC 7301."""


def tls_of(server: Server) -> ssl.SSLContext | None:
    """Return what TLS connections are accepted with, or None where there is no certificate.

    Raises:
        ConfigInvalid: certificate or key cannot be read, or they do not belong together.
    """
    if server.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9113, 9.2
    context.options |= ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(PROTOCOLS)
    try:
        # Without a password an encrypted key would be asked for on the terminal.
        context.load_cert_chain(server.tls_certificate, server.tls_key, password="")
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise ConfigInvalid(f"server.tls_certificate or server.tls_key: {reason}") from None
    return context
