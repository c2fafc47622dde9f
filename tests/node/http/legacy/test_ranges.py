from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.http.legacy.ranges import DEFAULT_LIMIT, PAGE_LIMIT, Range
from protocol.errors import InvalidInput

TIMES = st.lists(st.integers(0, 2), min_size=1, max_size=60).map(lambda gaps: [*accumulate(gaps)])


def followed(times: list[int], limit: int, *, by_nonce: bool) -> list[int]:
    """The slots of all pages that the cursors lead to."""
    seen: list[int] = []
    after: int | None = None
    goes_on = True
    while goes_on:
        wanted = Range(after, None, limit, by_nonce)
        first, last, goes_on = wanted.slots(len(times) - 1, times.__getitem__)
        assert first <= last
        seen += range(first, last + 1)
        after = last if by_nonce else times[last]
    return seen


@given(TIMES, st.integers(1, 70))
def test_following_nonces_visits_every_slot_once(times: list[int], limit: int) -> None:
    """Whatever the limit, no slot is missed and none comes twice."""
    assert followed(times, limit, by_nonce=True) == list(range(len(times)))


@given(TIMES, st.integers(1, 70))
def test_following_times_visits_every_slot_once(times: list[int], limit: int) -> None:
    """No page is cut between slots of one millisecond, which a cursor cannot tell apart."""
    assert followed(times, limit, by_nonce=False) == list(range(len(times)))


@given(TIMES, st.integers(-3, 130), st.integers(-3, 130), st.booleans())
def test_a_range_holds_what_its_bounds_say(
    times: list[int], after: int, to: int, by_nonce: bool
) -> None:
    """Everything after the one up to and with the other; by time never the process itself."""
    first, last, more = Range(after, to, 1000, by_nonce).slots(len(times) - 1, times.__getitem__)
    places = list(range(len(times))) if by_nonce else times
    expected = [slot for slot, place in enumerate(places) if after < place <= to]
    assert list(range(first, last + 1)) == [slot for slot in expected if by_nonce or slot]
    assert not more


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ({}, Range(None, None, DEFAULT_LIMIT, by_nonce=False)),
        ({"from": "5", "to": "9", "limit": "7"}, Range(5, 9, 7, by_nonce=False)),
        ({"from-nonce": "-1", "from": "5"}, Range(-1, None, DEFAULT_LIMIT, by_nonce=True)),
        ({"to-nonce": "4", "limit": "100000"}, Range(None, 4, PAGE_LIMIT, by_nonce=True)),
    ],
)
def test_a_query_is_read(query: dict[str, str], read: Range) -> None:
    """Nonces win over times, and no page is longer than a thousand slots."""
    assert Range.parse(query) == read


@pytest.mark.parametrize("value", ["x", "1.5", "--1", "-", "", "1" * 19, "٣", "1_0"])
def test_what_is_no_whole_number_is_refused(value: str) -> None:
    """Only decimal digits count, with a sign before them, and not without end."""
    for name in ("from", "to", "from-nonce", "to-nonce", "limit"):
        with pytest.raises(InvalidInput):
            Range.parse({name: value})


@pytest.mark.parametrize("limit", ["0", "-5"])
def test_a_page_has_at_least_one_slot(limit: str) -> None:
    """A limit below one would lead nowhere."""
    with pytest.raises(InvalidInput, match="at least 1"):
        Range.parse({"limit": limit})
