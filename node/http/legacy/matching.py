"""Which requests the legacy interface takes, where HyperBEAM's has the same address."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.routing import Match, Route
from starlette.types import Scope

from node.http.legacy.answers import Answer, served
from node.http.path import Path
from node.node import Node
from protocol.assignment import LEGACY_VARIANT
from protocol.errors import InvalidId, NotFound
from protocol.ids import Id

Wanted = Callable[[Scope], bool]

_OLDER_KEYS = frozenset(
    ("process-id", "proc-id", "from", "to", "from-nonce", "to-nonce", "limit", "show-anchor")
)
"""What only clients of the older network put behind the ID of a message or process."""
_NEWER_KEYS = ("require-codec", "accept-bundle", "codec-device", "accept-codec")
"""What only HyperBEAM's clients say, in the address or in a header."""
_ANY_JSON = ("*/*", "application/json")


class LegacyRoute(Route):
    """One address of the legacy interface, where it is `wanted`; else it is left to others."""

    def __init__(self, path: str, method: str, answer: Answer, wanted: Wanted) -> None:
        """Take what is served, and when."""
        super().__init__(path, served(answer), methods=[method])
        self._wanted = wanted

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match fully or not at all, so that other methods are left to others, too."""
        match, child = super().matches(scope)
        if match is not Match.FULL or not self._wanted({**scope, **child}):
            return Match.NONE, {}
        return match, child


def wants_legacy(node: Node, scope: Scope) -> bool:
    """Tell whether ``GET /{id}`` is meant for the legacy interface.

    It is with one of that interface's own keys; and where the ID is that of a process of
    variant ``ao.TN.1`` and nothing in the request is HyperBEAM's.
    """
    identifier = _identifier(scope)
    if identifier is None:
        return False
    keys = Path.parse(b"/", scope["query_string"]).keys
    if not _OLDER_KEYS.isdisjoint(keys):
        return True
    headers = Headers(scope=scope)
    if any(name in keys or name in headers for name in _NEWER_KEYS) or "accept" in keys:
        return False
    accept = headers.get("accept", "*/*")
    return any(media in accept for media in _ANY_JSON) and _is_older(node, identifier)


def begins_with_id(scope: Scope) -> bool:
    """Tell whether an address really names an ID where its pattern has one."""
    return _identifier(scope) is not None


def wants_json(scope: Scope) -> bool:
    """Tell whether ``GET /`` is not from a browser, which wants a page."""
    return "text/html" not in Headers(scope=scope).get("accept", "")


def brings_item(scope: Scope) -> bool:
    """Tell whether ``POST /`` is not a message signed in its headers, as HyperBEAM's are."""
    return "signature-input" not in Headers(scope=scope)


def always(_scope: Scope) -> bool:
    """Take whatever the address matches."""
    return True


def _identifier(scope: Scope) -> Id | None:
    try:
        return Id.parse(scope["path_params"]["id"])
    except InvalidId:
        return None


def _is_older(node: Node, identifier: Id) -> bool:
    try:
        return node.scheduler.terms(identifier).variant == LEGACY_VARIANT
    except NotFound:
        return False
