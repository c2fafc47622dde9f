"""A message on the wire: header fields and a body, and the same as one run of bytes."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import MalformedItem, UnsupportedValue


@dataclass(frozen=True, slots=True)
class Wire:
    """What an HTTP request or reply carries, without its first line.

    Attributes:
        headers: (name, value) pairs; names in lower case.
        body: the bytes after the headers.
    """

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    def encode(self) -> bytes:
        """Return the one run of bytes that stands for it: how it is stored and published.

        Header lines sorted by name, each ended by CRLF; CRLF; the body. Equal messages are
        equal bytes, and no two messages have the same.

        Raises:
            UnsupportedValue: a name or value would be read as another one.
        """
        for name, value in self.headers:
            if not name or b": " in name or b"\r\n" in name or b"\r\n" in value:
                raise UnsupportedValue(f"header {name[:40]!r} cannot be written in one line")
        lines = b"".join(b"%s: %s\r\n" % field for field in sorted(self.headers))
        return lines + b"\r\n" + self.body

    @classmethod
    def parse(cls, encoded: bytes) -> Wire:
        """Read what `encode` wrote.

        Raises:
            MalformedItem: it is not of that form.
        """
        if encoded.startswith(b"\r\n"):
            return cls((), encoded[2:])
        head, end, body = encoded.partition(b"\r\n\r\n")
        if not end:
            raise MalformedItem("the headers do not end")
        return cls(tuple(map(_field, head.split(b"\r\n"))), body)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b": ")
    if not (name and colon):
        raise MalformedItem("a header line has no name")
    return name, value
