from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.http.path import MAX_STEPS, Path
from protocol.errors import InvalidInput
from protocol.ids import Id

PROCESS = Id(bytes(range(32)))
P = str(PROCESS)

FORMS = {
    f"/{P}": (PROCESS, "", "", ()),
    f"/{P}/schedule": (PROCESS, "", "schedule", ()),
    f"/{P}~process@1.0/schedule": (PROCESS, "process@1.0", "schedule", ()),
    f"/{P}/~scheduler@1.0/schedule": (PROCESS, "scheduler@1.0", "schedule", ()),
    f"/{P}~process@1.0/~scheduler@1.0/slot": (PROCESS, "scheduler@1.0", "slot", ()),
    f"/{P}/slot/current": (PROCESS, "", "slot", ("current",)),
    "/~scheduler@1.0/schedule": (None, "scheduler@1.0", "schedule", ()),
    "/~meta@1.0/info/address": (None, "meta@1.0", "info", ("address",)),
    "/%7Emeta@1.0/info": (None, "meta@1.0", "info", ()),
    "/~scheduler@1.0/&a=b": (None, "scheduler@1.0", "", ()),
    "/push": (None, "", "push", ()),
    "//push/": (None, "", "push", ()),
    "/": (None, "", "", ()),
    "": (None, "", "", ()),
}


@pytest.mark.parametrize(("address", "parts"), FORMS.items())
def test_a_path_names_base_device_key_and_rest(address: str, parts: tuple[object, ...]) -> None:
    """Every form in which clients write a path is read alike."""
    path = Path.parse(address.encode())
    assert (path.base, path.device, path.key, path.rest) == parts


KEYS = {
    "from=0&to=10": {"from": "0", "to": "10"},
    "from=&from=3": {"from": "3"},
    "from=3&from=": {"from": "3"},
    "from=1&from=2": {"from": "2"},
    "from+integer=4": {"from": "4"},
    "From=4": {"from": "4"},
    "a=b=c": {"a": "b=c"},
    "a=x+y%2Bz": {"a": "x y+z"},
    "flag&=x&&": {},
}


@pytest.mark.parametrize(("query", "keys"), KEYS.items())
def test_the_last_value_that_is_not_empty_counts(query: str, keys: dict[str, str]) -> None:
    """A key may come doubled, empty or with its type; what is empty was never said."""
    assert Path.parse(b"/slot", query.encode()).keys == keys


def test_keys_stand_in_the_path_too() -> None:
    """HyperBEAM's form of a query, with or without one of the usual form behind it."""
    path = Path.parse(f"/~scheduler@1.0/schedule&target={P}&from+integer=2".encode(), b"to=5")
    assert (path.key, path.keys) == ("schedule", {"target": P, "from": "2", "to": "5"})


@pytest.mark.parametrize("mark", ["%3F", "%3f"])
def test_an_escaped_question_mark_begins_the_query(mark: str) -> None:
    """A client that puts everything through a URL's path means a query all the same."""
    path = Path.parse(f"/{P}/schedule{mark}from=1&to=2".encode(), b"limit=3")
    assert (path.key, path.keys) == ("schedule", {"from": "1", "to": "2", "limit": "3"})


def test_a_plus_in_a_path_is_a_plus() -> None:
    """Only a query writes a space as a plus."""
    assert Path.parse(b"/slot&a=b+c").keys == {"a": "b+c"}


@pytest.mark.parametrize("address", ["/%ff", "/slot&a=%ff", "/slot%3Fa=%c3", "/" + "a/" * 17])
def test_what_is_no_path_is_refused(address: str) -> None:
    """Bytes that are no text, and paths without end, are the client's fault."""
    with pytest.raises(InvalidInput):
        Path.parse(address.encode())


def test_an_address_that_is_not_escaped_is_refused() -> None:
    """No client may send raw bytes above ASCII in an address."""
    with pytest.raises(InvalidInput, match="percent-encoded"):
        Path.parse("/ä".encode())


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_address_is_read_or_refused(path: bytes, query: bytes) -> None:
    """Nothing in an address raises anything but `InvalidInput`."""
    try:
        read = Path.parse(b"/" + path, query)
    except InvalidInput:
        return
    assert len(read.rest) < MAX_STEPS
    assert all(read.keys.values())


@given(st.binary(min_size=32, max_size=32))
def test_every_id_is_a_base(raw: bytes) -> None:
    """Any ID may begin a path, whichever letters it has."""
    text = urlsafe_b64encode(raw).rstrip(b"=")
    assert Path.parse(b"/" + text + b"~process@1.0/slot").base == Id(raw)
