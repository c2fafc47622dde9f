"""What the vectors hold and no test shows, by name, so that nothing is missed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import pytest

from protocol.codecs.ans104_keys import item_of
from protocol.codecs.structured import to_tabm
from protocol.errors import MalformedItem, UnsupportedValue
from protocol.message import Message
from tests.protocol.recorded import VECTORS, Json, is_flat, raw, recorded_items, typed, vectors

SHOWN = {
    "file": {"ans104", "assignments", "messages", "multipart", "structured"},
    "item": {
        *("name", "item_b64u", "item_size", "id", "unsigned_id", "owner_address"),
        *("signature_data_b64u", "tags", "target", "anchor", "data_b64u", "decoded", "ids"),
        *("verify_all", "note", "nested", "committed_message"),
    },
    "decoded": {
        *("message", "committed", "ids", "verify_item", "verify_all", "tabm"),
        *("reencoded_equal", "httpsig_wire_bundle", "aos2_json"),
    },
    "ids": {"all", "signed", "unsigned"},
    "items": {"messages", "items", "foreign", "negative"},
    "schedules": {"schedules", "scheduler_address", "arweave_time", "negative"},
    "refused": {
        *("tampered-item", "truncated-item", "empty-item", "unsigned-message", "tampered-header"),
        *("tampered-body", "extra-unsigned-header-is-dropped", "old-label-signature"),
        *("unknown-process", "get-unknown-process-schedule", "get-unknown-process-slot"),
    },
    "schedule": {
        *("name", "process", "process_id", "process_ids", "spawn", "posts", "assignments"),
        *("newest_format", "signed_schedule", "replies"),
    },
    "assignment": {
        *("slot", "process", "hash_chain", "hash_chain_preimage_b64u", "hash_chain_ok", "body_ids"),
        *("tabm_linked", "as_ans104", "as_ans104_bundle", "assignment", "ids", "verify_all"),
        *("body_verify_all", "body_verify_signers", "wire_linked", "wire_bundle", "aos2"),
    },
    "structured": {
        *("values", "ao_types", "percent", "ids", "items", "lists", "dictionaries", "parse"),
        *("content_digest", "flat", "siginfo"),
    },
}
"""Fields that tests compare with, most of them in this folder, replies in those of the node."""

OWED: dict[str, dict[str, str]] = {
    "file": {},
    "item": {},
    "decoded": {},
    "ids": {},
    "items": {},
    "schedules": {
        "location": "are requests to a node about itself; of the replies only records are read"
    },
    "refused": {},
    "schedule": {},
    "assignment": {"as_stored": "shows a defect of HyperBEAM's store, which loses signatures"},
    "structured": {},
}
"""Fields that no test compares with, and why."""

NESTED = {
    *("empty-list", "empty-map", "list-binaries", "list-integers", "list-mixed", "list-nested"),
    *("list-12", "nested-1", "nested-2", "nested-typed", "nested-with-body", "nested-with-data"),
    *("body-map", "data-map", "body-list", "big-nested", "id-key-nested"),
}
TOO_LONG_FOR_TAGS = {"big-4097", "big-two-and-body"}
FORMS = ("as_ans104", "as_ans104_bundle")
ORIGIN = {"set", "source", "signer_a", "signer_b"}
"""Who recorded a file, and the addresses of those who signed."""

BUNDLES = {"bundle-list", "bundle-map", "arb-bundle-item"}


@pytest.mark.parametrize("kind", SHOWN)
def test_every_recorded_field_is_shown_or_owed(kind: str) -> None:
    """What was recorded is either compared by a test or named here with its reason."""
    assert SHOWN[kind].isdisjoint(OWED[kind])
    assert fields()[kind] - {"error"} == SHOWN[kind] | OWED[kind].keys()


def test_the_recorded_items_add_up() -> None:
    """Every message, item and assignment is among the items that are compared, or is counted."""
    ans104 = vectors("ans104")
    stages = [
        m[s] for m in ans104["messages"] for s in ("unsigned_item", "commit", "commit_bundle")
    ]
    assignments = [s["assignments"] for s in vectors("assignments")["schedules"]]
    everything = [*filter(None, stages), *ans104["items"], *ans104["foreign"]]
    everything += [slot[f] for slots in assignments for slot in slots for f in FORMS]
    errors = sum("error" in entry for entry in everything)
    assert len(recorded_items()) == len(everything) - errors
    assert errors == 4


def test_these_messages_need_a_bundle() -> None:
    """Nested messages, and values too long for a tag; all others fit into tags and data."""
    messages = vectors("ans104")["messages"]
    bundled = {entry["name"] for entry in messages if not is_flat(entry["unsigned_item"])}
    assert bundled == NESTED | TOO_LONG_FOR_TAGS


@pytest.mark.parametrize("name", sorted(TOO_LONG_FOR_TAGS))
def test_a_bundle_is_not_made_by_surprise(name: str) -> None:
    """HyperBEAM puts a long value into a bundle, where few would look for it."""
    (entry,) = (entry for entry in vectors("messages")["messages"] if entry["name"] == name)
    with pytest.raises(UnsupportedValue, match="too long for a tag"):
        item_of(to_tabm(typed(entry["input"])))


def test_these_items_keep_their_bundle_closed_for_scheduling() -> None:
    """Among the keys that are scheduled by, a bundle stays the message's data, whole."""
    items = recorded_items()
    bundled = {name for name, item in items.items() if item["id"] and item["nested"]}
    commits = {name.split()[0] for name in bundled if name.endswith(("commit", "commit_bundle"))}
    assert bundled - {n for n in bundled if " " in n} == BUNDLES
    assert commits == NESTED - {"id-key-nested"} | TOO_LONG_FOR_TAGS
    for name in bundled:
        message = Message.decode(raw(items[name]["item_b64u"]))
        assert next(iter(message.keys.values())) == raw(items[name]["data_b64u"])


def test_another_codec_is_refused() -> None:
    """A message in a codec that is not built is no message here."""
    with pytest.raises(MalformedItem, match="httpsig"):
        Message.decode(b"", codec="httpsig@1.0")


def fields() -> dict[str, set[str]]:
    ans104, assignments = vectors("ans104"), vectors("assignments")
    slots = [slot for schedule in assignments["schedules"] for slot in schedule["assignments"]]
    commits = [m[c] for m in ans104["messages"] for c in ("commit", "commit_bundle") if m[c]]
    items = [
        *commits,
        *ans104["items"],
        *ans104["foreign"],
        *(slot[f] for slot in slots for f in FORMS),
    ]
    decoded = [item["decoded"] for item in items if "decoded" in item]
    return {
        "file": {file.name.partition(".")[0] for file in VECTORS.glob("*.json.xz")},
        "item": named(items),
        "decoded": named(decoded),
        "ids": named(entry["ids"] for entry in decoded),
        "items": ans104.keys() - ORIGIN,
        "schedules": assignments.keys() - ORIGIN,
        "refused": {negative["name"] for negative in assignments["negative"]},
        "schedule": named(assignments["schedules"]),
        "assignment": named(slots),
        "structured": vectors("structured").keys() - ORIGIN,
    }


def named(entries: Iterable[Json]) -> set[str]:
    return set(chain.from_iterable(entries))
