"""What a gateway's GraphQL is asked, and how its nodes become ANS-104 items again."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

from protocol.codecs import ans104
from protocol.codecs.avro import encode_tags
from protocol.codecs.signatures import SIGNATURE_TYPES
from protocol.errors import InvalidInput, PeerFailed
from protocol.ids import Id

Node = Mapping[str, Any]

_NODE = (
    "edges { node { id anchor signature recipient "
    "owner { key } tags { name value } data { size } } }"
)

BY_ID = f"query($ids: [ID!]!) {{ found: transactions(ids: $ids, first: 1) {{ {_NODE} }} }}"

_SPELLINGS = {
    "newer": ("type", "scheduler-location"),
    "newest": ("type", "location"),
    "older": ("Type", "Scheduler-Location"),
}
"""ao.N.1 writes names in lower case, ao.TN.1 does not; gateways compare exactly."""

LOCATIONS = "query($owners: [String!]!, $first: Int!) {{ {} }}".format(
    " ".join(
        f"{alias}: transactions(owners: $owners, first: $first, sort: HEIGHT_DESC, "
        f'tags: [{{name: "{name}", values: ["{value}"]}}]) {{ {_NODE} }}'
        for alias, (name, value) in _SPELLINGS.items()
    )
)


def nodes_of(said: Any) -> list[Node]:
    """Read the nodes of all lists in an answer.

    Raises:
        PeerFailed: it is an error, or of another shape.
    """
    try:
        return [edge["node"] for found in said["data"].values() for edge in found["edges"]]
    except (KeyError, TypeError, AttributeError):
        raise PeerFailed("the gateway did not answer the query") from None


def data_source(node: Node) -> Id | None:
    """Return under which ID the data of a node is found, or None if it has none.

    Raises:
        PeerFailed: it is no node.
    """
    try:
        return Id.parse(node["id"]) if int(node["data"]["size"]) else None
    except (KeyError, TypeError, ValueError, AttributeError, InvalidInput):
        raise PeerFailed("the gateway answered with what is no item") from None


def genuine_item(node: Node, data: bytes) -> ans104.Item | None:
    """Build the item of a node; None unless its signature verifies.

    The signature decides, so it does not matter what else the gateway says.
    """
    try:
        item = ans104.parse(_item(node, data).encode())
        return item if item.verify() else None
    except (KeyError, TypeError, ValueError, AttributeError, InvalidInput):
        return None


def _item(node: Node, data: bytes) -> ans104.Item:
    signature, owner = _raw(node["signature"]), _raw(node["owner"]["key"])
    tags = tuple((tag["name"].encode(), tag["value"].encode()) for tag in node["tags"])
    return ans104.Item(
        signature_type=_type_number(len(signature), len(owner)),
        signature=signature,
        owner=owner,
        target=_raw(node["recipient"]),
        anchor=_raw(node["anchor"]),
        tags=tags,
        tag_bytes=encode_tags(tags),
        data=data,
        tag_count=len(tags),
    )


def _type_number(signature_bytes: int, owner_bytes: int) -> int:
    # A node does not say its signature type, but no two types have the same sizes.
    for kind in SIGNATURE_TYPES.values():
        if (kind.signature_bytes, kind.owner_bytes) == (signature_bytes, owner_bytes):
            return kind.number
    raise ValueError("no signature type has these sizes")


def _raw(text: str | None) -> bytes:
    if not text:
        return b""
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except Base64Error as exc:
        raise ValueError("not base64url") from exc
