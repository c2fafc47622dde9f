"""This machine: keys, disk, files, address, certificate."""

from __future__ import annotations

import errno
import os
import resource
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from node.checkup.check import NotWell
from node.checkup.stored import look
from node.config import Config
from node.serving.sockets import RESERVED_FILES
from protocol.wallet import Wallet
from storage.space import free_bytes

MIN_FILES = 4 * RESERVED_FILES
"""Open files: one per connection beside those kept for the store."""


def first_wallet(file: Path) -> str:
    """Load the operator's wallet, which is created when there is none."""
    if file.exists():
        return wallet(file)
    _require_folder(file.parent)
    return f"{file} does not exist: serve creates it"


def wallet(file: Path) -> str:
    """Load a wallet."""
    return f"{file}: {Wallet.load(file).address}"


def disk(config: Config) -> str:
    """Compare what is free with what is kept in reserve."""
    existing, reserve = _require_folder(config.store.data), config.store.min_free_bytes
    free = free_bytes(existing)
    if free < reserve:
        raise NotWell(f"{free >> 20} MiB are free, less than the reserve of {reserve >> 20} MiB")
    return f"{free >> 20} MiB are free"


def open_files() -> str:
    """See how many files may be open: a server raises its limit to the hard one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < MIN_FILES:
        raise NotWell(f"at most {most} files may be open: ulimit -Hn {MIN_FILES} or more")
    return f"up to {most}"


def address(config: Config) -> str:
    """Listen for a moment, unless a node does already."""
    host, port = config.server.host, config.server.port
    place = f"{host}:{port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as exc:
        if exc.errno != errno.EADDRINUSE:
            raise NotWell(f"{place}: {exc.strerror}") from None
        if (found := look(config)) is None or found.writer is None:
            raise NotWell(f"another program listens on {place}") from None
        return f"{place} is in use, as the store is: the node runs"
    return f"{place} is free"


def certificate(config: Config) -> str:
    """Load certificate and key, and see whether its time has come or is over."""
    file, key = Path(str(config.server.tls_certificate)), Path(str(config.server.tls_key))
    # OpenSSL does not say which one is missing.
    for each in (file, key):
        if not each.is_file():
            raise NotWell(f"{each} does not exist")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, key)
    except ssl.SSLError as exc:
        raise NotWell(f"{file} and {key} are no certificate and its key: {exc}") from None
    found = x509.load_pem_x509_certificate(file.read_bytes())
    begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    if not begins <= datetime.now(UTC) <= ends:
        raise NotWell(f"{file} is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d} only")
    return f"{file}: valid until {ends:%Y-%m-%d}"


def _require_folder(folder: Path) -> Path:
    # What does not exist yet is created below what does.
    folder = folder.absolute()
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir():
        raise NotWell(f"{existing} is no folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise NotWell(f"{existing} cannot be written to")
    return existing
