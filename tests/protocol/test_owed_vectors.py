"""What the vectors hold and this version cannot show yet, by name, so that nothing is missed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import pytest

from protocol.codecs.ans104_keys import item_of
from protocol.codecs.structured import to_tabm
from protocol.errors import MalformedItem, SchedulerError
from protocol.message import Message
from tests.protocol.recorded import VECTORS, Json, is_flat, raw, recorded_items, scalar, vectors

SHOWN = {
    "file": {"ans104", "assignments", "multipart", "structured"},
    "item": {
        *("name", "item_b64u", "item_size", "id", "unsigned_id", "owner_address"),
        *("signature_data_b64u", "tags", "target", "anchor", "data_b64u", "decoded", "ids"),
        *("verify_all", "note"),
    },
    "decoded": {"message", "committed", "ids", "verify_item", "verify_all"},
    "ids": {"all", "signed"},
    "items": {"messages", "items", "foreign", "negative"},
    "schedules": {"schedules", "scheduler_address", "arweave_time"},
    "refused": {"tampered-item", "truncated-item", "empty-item"},
    "schedule": {"name", "process_id", "spawn", "posts", "assignments"},
    "assignment": {
        *("slot", "process", "hash_chain", "hash_chain_preimage_b64u", "hash_chain_ok", "body_ids"),
        *("tabm_linked", "as_ans104", "as_ans104_bundle"),
    },
    "structured": {
        *("values", "ao_types", "percent", "ids", "items", "lists", "dictionaries", "parse"),
        *("content_digest", "flat"),
    },
}
"""Fields that the tests of this folder compare with."""

OWED = {
    "file": {
        "messages": "HTTP message signatures; only the IDs of two signers are compared",
    },
    "item": {
        "nested": "opening and building bundles of nested messages",
        "committed_message": "the message before encoding, with nested values",
    },
    "decoded": {
        "tabm": "needs the IDs that httpsig gives to nested messages",
        "reencoded_equal": "needs bundles of nested messages",
        "httpsig_wire_bundle": "is written by httpsig",
        "aos2_json": "is a format of schedule replies",
    },
    "ids": {"unsigned": "is an HMAC of httpsig"},
    "items": {},
    "schedules": {
        "negative": "are requests; those that carry an item are compared",
        "location": "are requests to a node about itself",
    },
    "refused": {
        "unsigned-message": "is a request without a signature",
        "tampered-header": "is signed by httpsig",
        "tampered-body": "is signed by httpsig",
        "extra-unsigned-header-is-dropped": "is signed by httpsig",
        "old-label-signature": "is signed by httpsig",
        "unknown-process": "is signed by httpsig",
        "get-unknown-process-schedule": "is a request for a schedule",
        "get-unknown-process-slot": "is a request for a slot",
    },
    "schedule": {
        "process": "is signed by httpsig in one of the two",
        "process_ids": "hold an unsigned ID, which is an HMAC of httpsig",
        "newest_format": "the chain rule base-hashpath",
        "signed_schedule": "is a format of schedule replies",
        "replies": "are formats of schedule replies",
    },
    "assignment": {
        "assignment": "is signed by httpsig",
        "ids": "are those of httpsig",
        "verify_all": "is the verdict of httpsig",
        "body_verify_all": "is the verdict of httpsig for half of the messages",
        "body_verify_signers": "is the verdict of httpsig for half of the messages",
        "wire_linked": "is written by httpsig",
        "wire_bundle": "is written by httpsig",
        "as_stored": "shows a defect of HyperBEAM's store",
        "aos2": "is a format of schedule replies",
    },
    "structured": {
        "siginfo": "are headers of httpsig",
    },
}
"""Fields that wait for a later codec, and why."""

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


def test_these_messages_cannot_be_built_yet() -> None:
    """Nested messages need the IDs of httpsig; all others are built from their typed input."""
    messages = vectors("ans104")["messages"]
    unbuilt = {entry["name"] for entry in messages if not is_flat(entry["unsigned_item"])}
    assert unbuilt == NESTED | TOO_LONG_FOR_TAGS


@pytest.mark.parametrize("name", sorted(NESTED))
def test_a_nested_value_is_refused_and_not_flattened(name: str) -> None:
    """Until nested messages are built, a list or map in a message is a named refusal."""
    (entry,) = (entry for entry in vectors("ans104")["messages"] if entry["name"] == name)
    nested = {"list": [], "map": {}}
    typed = {k: nested[v["t"]] if v["t"] in nested else scalar(v) for k, v in entry["input"]["v"]}
    with pytest.raises(SchedulerError, match="cannot be written"):
        item_of(to_tabm(typed))


def test_these_items_keep_their_bundle_closed() -> None:
    """A bundle stays the message's data, whole; its nested messages are not keys yet."""
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
