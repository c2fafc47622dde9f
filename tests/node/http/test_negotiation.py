from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.http.negotiation import Form, reply_form, request_codec
from protocol.errors import MalformedItem, UnsupportedValue

REQUESTS = [
    ({}, {}, "httpsig@1.0"),
    ({"codec-device": "ans104@1.0"}, {}, "ans104@1.0"),
    ({}, {"codec-device": "json@1.0"}, "json@1.0"),
    ({"codec-device": "json@1.0"}, {"codec-device": "ans104@1.0"}, "json@1.0"),
    ({}, {"codec-device": "httpsig@1.0", "content-type": "application/json"}, "httpsig@1.0"),
    ({}, {"content-type": "application/ans104"}, "ans104@1.0"),
    ({}, {"content-type": "Application/JSON; charset=utf-8"}, "json@1.0"),
    ({}, {"content-type": "application/octet-stream"}, "ans104@1.0"),
    ({}, {"content-type": "application/octet-stream", "signature-input": "x"}, "httpsig@1.0"),
    ({}, {"content-type": 'multipart/form-data; boundary="x"'}, "httpsig@1.0"),
    ({}, {"content-type": "application/unheard-of"}, "httpsig@1.0"),
]


@pytest.mark.parametrize(("keys", "headers", "codec"), REQUESTS)
def test_a_request_says_its_codec(
    keys: dict[str, str], headers: dict[str, str], codec: str
) -> None:
    """By `codec-device`, in the address before the header, else by content type, else httpsig."""
    assert request_codec(keys, headers) == codec


def test_an_unknown_codec_of_a_request_is_refused() -> None:
    """Guessing another one could turn a signed message into an unsigned one."""
    with pytest.raises(MalformedItem, match=r"tx@1\.0"):
        request_codec({"codec-device": "tx@1.0"}, {})


REPLIES = [
    ({}, Form("httpsig@1.0", bundle=False)),
    ({"accept": "*/*"}, Form("httpsig@1.0", bundle=False)),
    ({"accept": "text/html,*/*;q=0.8"}, Form("httpsig@1.0", bundle=False)),
    ({"accept": "application/json"}, Form("json@1.0", bundle=True)),
    ({"accept": "application/json", "accept-bundle": "false"}, Form("json@1.0", bundle=False)),
    ({"accept": "application/http"}, Form("httpsig@1.0", bundle=True)),
    ({"accept-bundle": "true"}, Form("httpsig@1.0", bundle=True)),
    ({"accept-bundle": '"true"'}, Form("httpsig@1.0", bundle=True)),
    ({"accept": "application/aos-2"}, Form("aos-2", bundle=True)),
    ({"accept": "application/json;q=0.5, application/ans104"}, Form("ans104@1.0", bundle=False)),
    ({"accept": "application/json;q=0, text/plain"}, Form("httpsig@1.0", bundle=False)),
    ({"accept": "application/json;q=high"}, Form("httpsig@1.0", bundle=False)),
    ({"require-codec": "application/json", "accept": "*/*"}, Form("json@1.0", bundle=True)),
    ({"require-codec": "ans104@1.0", "accept": "application/json"}, Form("ans104@1.0", False)),
]


@pytest.mark.parametrize(("said", "form"), REPLIES)
def test_a_reply_is_written_as_it_is_asked_for(said: dict[str, str], form: Form) -> None:
    """`require-codec` decides, else the best of `accept`, else httpsig."""
    assert reply_form(said.get) == form


def test_a_codec_that_is_required_and_unknown_is_refused() -> None:
    """A client that can read nothing else is told so instead of being sent what it cannot read."""
    with pytest.raises(UnsupportedValue, match="application/cbor"):
        reply_form({"require-codec": "application/cbor"}.get)


@given(st.text(max_size=100))
def test_any_accept_header_leads_to_a_form(accept: str) -> None:
    """Nothing in `accept` is an error."""
    assert reply_form({"accept": accept}.get).codec
