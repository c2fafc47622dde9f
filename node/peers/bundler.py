"""Publish through a bundler: an uploader that posts ANS-104 items over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import orjson

from actors.uploader import Outcome, Upload
from node.peers.client import Answer, Client
from protocol.errors import PeerFailed, PeerRefused, UploadFailed, UploadRefused

PARALLEL_UPLOADS = 16
"""Items on their way at once, so that a bundler far away costs its distance only once for all."""

MAX_RECEIPT_BYTES = 4096
"""What is kept of the bundler's answer. A signed receipt is under 2 KiB."""

REFUSALS = {400, 413, 415, 422}
"""Statuses that judge the item. All others, such as 402 when the operator's balance is used up,
can change without the item changing."""

CONTENT_TYPE = ((b"content-type", b"application/octet-stream"),)


class BundlerUploader:
    """Post each item to ``{url}/tx``; any 2xx is an acknowledgement.

    It does not try again by itself: the publisher does, with its own patience. Sent to a spawned
    program, it posts from there, with a client of its own.
    """

    def __init__(self, client: Client, url: str, *, owned: bool = False) -> None:
        """Prepare; nothing is contacted.

        Args:
            client: whose rules allow the bundler, for example by trusting its URL.
            url: the bundler's, without ``/tx``.
            owned: whether to close the client at the end, too.
        """
        self._client = client
        self._owned = owned
        self._url = f"{url.rstrip('/')}/tx"
        self._threads = ThreadPoolExecutor(PARALLEL_UPLOADS, "bundler")

    def upload(self, items: Sequence[Upload]) -> list[Outcome]:
        """Offer items, several at once, and return one outcome for each, in order.

        An acknowledgement is the bundler's answer, which holds its signed receipt if it gives
        one. Nothing is raised.
        """
        if len(items) == 1:  # not worth a thread
            return [self._offer(items[0])]
        pending = [self._threads.submit(copy_context().run, self._offer, item) for item in items]
        return [outcome.result() for outcome in pending]

    def close(self) -> None:
        """End after the uploads under way."""
        self._threads.shutdown()
        if self._owned:
            self._client.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _posting, (self._client, self._url.removesuffix("/tx"))

    def _offer(self, item: Upload) -> Outcome:
        try:
            answer = self._client.post(self._url, item.item, headers=CONTENT_TYPE, follow=True)
        except (PeerFailed, PeerRefused) as exc:
            return UploadFailed(f"bundler: {exc.detail}")
        return judge(item, answer)


def _posting(client: Client, url: str) -> BundlerUploader:
    return BundlerUploader(client, url, owned=True)


def judge(item: Upload, answer: Answer) -> Outcome:
    """Tell what a bundler's answer means for an item."""
    if answer.status in REFUSALS:
        return UploadRefused(f"the bundler refuses the item: {_told(answer)}")
    if not answer.ok:
        return UploadFailed(f"the bundler fails: {_told(answer)}", retry_after=_retry_after(answer))
    if _named(answer) not in (None, str(item.id)):
        return UploadFailed("the bundler acknowledges another item than it was given")
    return _receipt(answer)


def _named(answer: Answer) -> Any:
    # Which item the answer is about, if it says so.
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    return said.get("id") if isinstance(said, dict) else None


def _receipt(answer: Answer) -> str:
    if 0 < len(answer.body) <= MAX_RECEIPT_BYTES:
        try:
            return answer.body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return f"status {answer.status}"


def _told(answer: Answer) -> str:
    text = answer.body[:200].decode("utf-8", "replace")
    return " ".join(f"{answer.status} {text}".split())


def _retry_after(answer: Answer) -> float | None:
    value = answer.header(b"retry-after") or b""
    return float(value) if value.isdigit() and len(value) < 6 else None
