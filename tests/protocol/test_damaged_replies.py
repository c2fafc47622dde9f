from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.assignment import LEGACY_VARIANT, Block
from protocol.codecs import portable
from protocol.codecs.wire import Wire
from protocol.entry import Entries, Entry
from protocol.errors import InvalidInput, UntrustedSchedule
from protocol.foreign import aos2, bundle, legacy
from protocol.formats import aos2 as aos2_format
from protocol.formats import bundle as bundle_format
from protocol.formats import legacy as legacy_format
from protocol.formats.frame import Frame
from protocol.schedule_check import check
from tests.foreign import process_of, schedule

MOST = 10
OFTEN = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def entries(user_wallet, wallet) -> list[Entry]:
    """Three slots of a process of variant ao.N.1."""
    return schedule(user_wallet, wallet, 3)


@pytest.fixture(scope="module")
def older(user_wallet, wallet) -> list[Entry]:
    """Three slots of a process of variant ao.TN.1."""
    return schedule(user_wallet, wallet, 3, chain="legacy", variant=LEGACY_VARIANT)


def believed(original: list[Entry], found: Entries) -> bool:
    """Tell whether what was read verifies; it must be what was written, as far as it goes."""
    process = process_of(original)
    try:
        check(process, found.entries, None, original[0].message.keys)
    except UntrustedSchedule:
        return False
    first = found.entries[0].assignment.slot if found.entries else 0
    assert list(found.entries) == original[first : first + len(found.entries)]
    return True


@OFTEN
@given(data=st.data())
def test_a_damaged_bundle_is_refused_or_means_the_same(entries, data) -> None:
    """Wherever a byte is changed, taken out or put in: no reader ever believes other slots."""
    wire = portable.encode(bundle_format.schedule(_frame(entries), entries))
    place = data.draw(st.integers(0, len(wire.body) - 1))
    taken = data.draw(st.integers(0, 3))
    put = data.draw(st.binary(max_size=3))
    body = wire.body[:place] + put + wire.body[place + taken :]
    try:
        found = bundle.page(Wire(wire.headers, body), MOST)
    except (InvalidInput, ValueError):
        return
    believed(entries, found)


@OFTEN
@given(data=st.data())
def test_damaged_json_is_refused_or_means_the_same(entries, older, data) -> None:
    """Whatever stands in place of any part of it, in both forms."""
    original, read, written = data.draw(
        st.sampled_from(
            [
                (entries, aos2.page, aos2_format.schedule(_frame(entries), entries)),
                (
                    older,
                    legacy.page,
                    legacy_format.page(older, more=False, by_nonce=True, show_anchor=True),
                ),
            ]
        )
    )
    page = json.loads(written)
    replace_somewhere(page, data)
    try:
        found = read(json.dumps(page).encode(), MOST)
    except (InvalidInput, ValueError):
        return
    believed(original, found)


@OFTEN
@given(headers=st.lists(st.tuples(st.binary(), st.binary()), max_size=5), body=st.binary())
def test_any_bytes_are_refused_or_read(headers, body) -> None:
    """Nothing but the errors that callers expect comes of what any server may send."""
    for read in (
        lambda: bundle.page(Wire(tuple(headers), body), MOST),
        lambda: bundle.slot(Wire(tuple(headers), body)),
        lambda: aos2.page(body, MOST),
        lambda: legacy.page(body, MOST),
        lambda: legacy.entry(body),
    ):
        with pytest.raises((InvalidInput, ValueError)):
            read()


@OFTEN
@given(page=JSON)
def test_any_json_is_refused_or_empty(page) -> None:
    """However it is nested."""
    for told in (page, {"page_info": {}, "edges": [page]}, {"page_info": {}, "edges": page}):
        for read in (aos2.page, legacy.page):
            try:
                assert read(json.dumps(told).encode(), MOST).entries == ()
            except (InvalidInput, ValueError):
                continue


def replace_somewhere(page: Any, data: st.DataObject) -> None:
    """Put something else at a place in nested lists and dictionaries."""
    while True:
        places = list(page) if isinstance(page, dict) else list(range(len(page)))
        place = data.draw(st.sampled_from(places))
        inner = page[place]
        deeper = isinstance(inner, dict | list) and len(inner) > 0
        if not deeper or data.draw(st.integers(0, 5)) == 0:
            page[place] = data.draw(JSON)
            return
        page = inner


def _frame(entries: list[Entry]) -> Frame:
    return Frame(process_of(entries), False, 1_700_000_000, Block())
