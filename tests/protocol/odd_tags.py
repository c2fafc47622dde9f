"""Tags and data that some codec cannot carry, or takes for something else."""

from __future__ import annotations

from hypothesis import strategies as st

NAMES = [
    *(b"commitments", b"Commitments", b"ao-body-key", b"content-digest", b"a%41", b"aA", b"data"),
    *(b"data+link", b"body", b"body+link", b"target+link", b"+link", b"\xc3\xa9", b"\xff", b"\x00"),
    *(b"a\r\nb", b"\n", b'a"b', b"a\\b", b"a/b", b"/", b"a: b", b"a:", b"ao-types", b"signature"),
    *(b"signature-input", b"priv", b"transfer-encoding", b"content-length", b"content-type"),
    *(b"content-disposition", b"ao-data-key", b"target", b"anchor", b"bundle-format", b"X, 2:b"),
    *(b"bundle-version", b"bundle-map", b"type", b"path", b"x" * 43, b"Y" * 32, b"%" * 42),
]
"""Names that mean something to a codec or to HTTP, or cannot stand there."""
VALUES = [
    *(b"x", b"", b"\xff", b"a\r\nb", b" a ", b"empty-message", b'x="integer"', b'.="list"'),
    *(b"commitments", b"target", b"data", b"ao-data-key", b"a/b", b"A" * 43, b"y" * 600),
    *(b"chunked", b'multipart/form-data; boundary="x"', b"2.0.0", b"binary", b"inline"),
]

_names = st.sampled_from(NAMES) | st.binary(min_size=1, max_size=6)
_values = st.sampled_from(VALUES) | st.binary(max_size=6)
TAGS = st.lists(st.tuples(_names, _values), max_size=6)
DATA = st.sampled_from([b"", b"data", b"a\r\n\r\nb", b"\xff"])
