"""The one form of tags that bundlers take."""

from __future__ import annotations

from collections.abc import Sequence

from protocol.codecs.avro import Tag

MAX_TAG_BYTES = 4096
"""Largest tag block, as arbundles and the bundlers built on it enforce."""

MAX_TAGS = 128
MAX_NAME_BYTES = 1024
MAX_VALUE_BYTES = 3072


def limit_flaw(tags: Sequence[Tag], tag_bytes: bytes) -> str:
    """Say which limit of ANS-104 the tags break, or "" if they break none."""
    if len(tag_bytes) > MAX_TAG_BYTES:
        return f"the tags are {len(tag_bytes)} bytes, over {MAX_TAG_BYTES}"
    if len(tags) > MAX_TAGS:
        return f"there are {len(tags)} tags, over {MAX_TAGS}"
    for number, (name, value) in enumerate(tags, 1):
        if not 0 < len(name) <= MAX_NAME_BYTES:
            return f"the name of tag {number} is {len(name)} bytes, not 1 to {MAX_NAME_BYTES}"
        if len(value) > MAX_VALUE_BYTES:
            return f"the value of tag {number} is {len(value)} bytes, over {MAX_VALUE_BYTES}"
    return ""


def tag_flaw(count: int, tags: Sequence[Tag], tag_bytes: bytes, *, minimal: bool) -> str:
    """Say what keeps bundlers from taking these tags, or "" if nothing does.

    Args:
        count: how many tags the item's header announces.
        tags: the tags as read.
        tag_bytes: the block they were read from.
        minimal: whether the block is what encoding the tags gives.
    """
    if count != len(tags):
        return f"the header counts {count} tags, there are {len(tags)}"
    if not minimal:
        return "the tags are not one Avro block with the shortest numbers"
    return limit_flaw(tags, tag_bytes)
