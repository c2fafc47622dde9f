"""Messages that hypothesis makes up: plain ones, and ones that are hard to carry."""

from __future__ import annotations

from hypothesis import strategies as st

from protocol.codecs.httpsig import NOT_KEYS

HARD_VALUES = [b"", b" x ", b"a\r\nb: c", b"\r\n\r\n", b"\x00", b"\xff", b"x" * 4097, b"--B\r\n"]
HARD_KEYS = [b"body", b"data", b"content-type", b"k+link", b"ao-types", b"Set-Cookie", b"a%41"]
HARD_KEYS += [b"content-length", b"content-digest", b"UPPER", b"x y", b'q"', b"\xc3\xa9", b"a/b"]
NESTED_KEYS = [b"body", b"data", b"Data", b"content-type", b"content-disposition", b"ao-body-key"]

VALUES = st.binary(max_size=12) | st.sampled_from(HARD_VALUES)
KEYS = st.sampled_from(HARD_KEYS) | st.binary(min_size=1, max_size=8).filter(
    lambda key: key not in NOT_KEYS and key != b"ao-body-key"
)
NAMES = st.sampled_from(NESTED_KEYS) | st.from_regex(rb"[a-z0-9]{1,4}", fullmatch=True)

NESTED = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=3),
    lambda inner: st.dictionaries(NAMES, VALUES | inner, max_size=3),
    max_leaves=6,
)
TABMS = st.dictionaries(KEYS, VALUES | NESTED, max_size=6)
