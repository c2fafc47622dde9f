"""Tell whether the packages that Python finds by our names are ours.

`actors` and `storage` are also names of unrelated distributions. One of those, found first or
installed over ours, would break the program in ways nobody could read.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, distribution
from itertools import chain
from pathlib import Path

DISTRIBUTION = "ao-scheduler"
PACKAGES = ("actors", "node", "protocol", "storage")
HOME = Path(__file__).resolve().parents[1]
"""The folder that holds all our packages: the repository, or site-packages."""


def complaint() -> str | None:
    """Return what is wrong and what to do about it in one line, or None if all is well.

    Nothing is imported: importing a foreign package would run it.
    """
    for package in PACKAGES:
        if not (HOME / package / "__init__.py").exists():
            return f"the package {package!r} is missing: install {DISTRIBUTION} again"
    for foreign in chain(_elsewhere(), _overwritten()):
        return (
            f"{foreign} is not part of {DISTRIBUTION}, another distribution uses the same name: "
            f"uninstall that one, or install {DISTRIBUTION} in an environment of its own"
        )
    return None


def _elsewhere() -> Iterator[Path]:
    # The four belong together: whatever does not lie beside this very package is not ours.
    for package in PACKAGES:
        spec = PathFinder.find_spec(package)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin).resolve()
            if origin != HOME / package / "__init__.py":
                yield origin


def _overwritten() -> Iterator[Path]:
    # Two distributions in one folder: the later one replaced files of the earlier one. An
    # editable install records no files of ours, and cannot be overwritten this way.
    try:
        recorded = distribution(DISTRIBUTION).files or []
    except PackageNotFoundError:
        return
    initials = {f"{package}/__init__.py" for package in PACKAGES}
    for file in recorded:
        if file.as_posix() in initials and file.hash is not None:
            located = Path(str(file.locate())).resolve()
            if _digest(located) != file.hash.value:
                yield located


def _digest(file: Path) -> str:
    # As wheels record it (PEP 376): SHA-256 in base64url without padding.
    digest = hashlib.sha256(file.read_bytes()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
