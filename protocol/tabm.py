"""TABM, HyperBEAM's type-annotated binary message: nested maps whose every leaf is bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from protocol.codecs.scalars import Scalar

Tabm: TypeAlias = "Mapping[bytes, bytes | Tabm]"
"""Keys to bytes or to nested maps; `ao-types` names the types of leaves that are no text.

Lists are maps with the keys ``1``, ``2``, … and ``.="list"`` in their `ao-types`. A signed
message carries its `commitments` as one nested map: commitment ID to its fields.
"""

Typed: TypeAlias = "Scalar | Sequence[Typed] | Mapping[str, Typed]"
"""A value before `ao-types` takes its type away: scalars, lists and maps of them."""

COMMITMENTS = b"commitments"
