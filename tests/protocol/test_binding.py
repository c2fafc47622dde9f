from __future__ import annotations

import pytest

from protocol.binding import Binding, bindings, hint_of
from protocol.errors import NoScheduler
from protocol.ids import Id
from protocol.terms import MAX_TERM_BYTES

A, B = Id(b"\x01" * 32), Id(b"\x02" * 32)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{A}", (Binding(A),)),
        (f"{A}, {B}", (Binding(A), Binding(B))),
        (f'"{A}", "{B}"', (Binding(A), Binding(B))),
        (f"{A},{A}", (Binding(A),)),
        (f"{A}?hint=http://a.example", (Binding(A, "http://a.example"),)),
        (f"{A}?hint=http%3A%2F%2Fa.example%2F,{B}", (Binding(A, "http://a.example"), Binding(B))),
        (f"{A}?hint=ftp://a.example", (Binding(A),)),
        (f"{A}?other=1", (Binding(A),)),
        (f"https://a.example,{B}", (Binding(B),)),
        ("https://a.example", ()),
    ],
)
def test_a_process_names_its_schedulers(value, expected) -> None:
    """Addresses in their order, each once, with their hints; what is no address is passed over."""
    assert bindings({b"scheduler": value.encode()}) == expected


def test_the_older_name_of_the_key_counts_when_the_newer_one_is_absent() -> None:
    """`scheduler` goes before `scheduler-location`."""
    keys = {b"scheduler-location": A.ascii}
    assert bindings(keys) == (Binding(A),)
    assert bindings({**keys, b"scheduler": B.ascii}) == (Binding(B),)


@pytest.mark.parametrize("keys", [{}, {b"scheduler": b""}])
def test_a_process_may_name_nobody(keys) -> None:
    """Then nobody can schedule it."""
    with pytest.raises(NoScheduler):
        bindings(keys)


def test_a_value_longer_than_a_tag_is_not_read_to_its_end() -> None:
    """It costs the same whatever its length."""
    value = b",".join([A.ascii] * MAX_TERM_BYTES) + b"," + B.ascii
    assert bindings({b"scheduler": value}) == (Binding(A),)


@pytest.mark.parametrize("query", ["", "hint=", "hint=x&hint=y", "hint=%ff", "&".join(["a=1"] * 9)])
def test_a_hint_that_is_no_url_is_none(query) -> None:
    """A hint is worth nothing but its place."""
    assert hint_of(query) == ""
