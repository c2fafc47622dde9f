"""What a process may ask for at slot 0, and every way that is refused."""

from __future__ import annotations

import pytest

from protocol.errors import NoScheduler, NotOurProcess, TooLarge, UnsupportedProcess
from protocol.ids import Id, digest_id
from protocol.message import verify
from protocol.terms import Defaults, Terms, named_schedulers, spawn_terms
from protocol.wallet import Wallet
from tests.protocol.odd_items import odd_item

OURS, ALSO_OURS, THEIRS = (digest_id(name) for name in (b"ours", b"also ours", b"theirs"))
HELD = {OURS, ALSO_OURS}
BASE = {b"scheduler": OURS.ascii}

BUILT = [
    {b"scheduler-chain": b"hash-chain"},
    {b"scheduler-commitment-spec": b"ans104@1.0"},
    {b"variant": b"ao.N.1"},
]

ASKED = [
    ({}, Terms((OURS,))),
    ({b"scheduler-chain": b"base-hashpath"}, Terms((OURS,), "base-hashpath")),
    ({b"scheduler-commitment-spec": b"httpsig@1.0"}, Terms((OURS,), device="httpsig@1.0")),
    ({b"variant": b"ao.TN.1"}, Terms((OURS,), "legacy", "ans104@1.0", "ao.TN.1")),
]

NOT_BUILT = [
    (b"scheduler-chain", b"legacy"),
    (b"scheduler-chain", b"Hash-Chain"),
    (b"scheduler-chain", b""),
    (b"scheduler-chain", b"\xff"),
    (b"scheduler-commitment-spec", b"json@1.0"),
    (b"scheduler-commitment-spec", b"ANS104@1.0"),
    (b"variant", b"ao.TN.2"),
    (b"variant", b"x" * 3000),
]


def test_a_process_that_names_us_gets_the_defaults() -> None:
    """One address is enough; the rest has its default."""
    assert spawn_terms(BASE, HELD) == Terms((OURS,), "hash-chain", "ans104@1.0", "ao.N.1")


@pytest.mark.parametrize("asked", BUILT, ids=lambda asked: next(iter(asked)).decode())
def test_asking_for_the_default_is_the_default(asked: dict[bytes, bytes]) -> None:
    """What is built may be named."""
    assert spawn_terms(BASE | asked, HELD) == Terms((OURS,))


@pytest.mark.parametrize(("asked", "terms"), ASKED)
def test_a_process_gets_what_it_asks_for(asked: dict[bytes, bytes], terms: Terms) -> None:
    """Chain rule and device are the process's choice; the older variant has one of each."""
    assert spawn_terms(BASE | asked, HELD) == terms


def test_the_node_decides_what_a_process_leaves_open() -> None:
    """Its defaults yield to what the process asks for, and to the older variant's own form."""
    chosen = Defaults("base-hashpath", "httpsig@1.0")
    assert spawn_terms(BASE, HELD, chosen) == Terms((OURS,), "base-hashpath", "httpsig@1.0")
    asked = {b"scheduler-chain": b"hash-chain", b"scheduler-commitment-spec": b"ans104@1.0"}
    assert spawn_terms(BASE | asked, HELD, chosen) == Terms((OURS,))
    older = spawn_terms({**BASE, b"variant": b"ao.TN.1"}, HELD, chosen)
    assert (older.chain, older.device) == ("legacy", "ans104@1.0")


@pytest.mark.parametrize(
    "asked",
    [{b"scheduler-chain": b"hash-chain"}, {b"scheduler-commitment-spec": b"httpsig@1.0"}],
)
def test_the_older_variant_knows_no_other_form(asked: dict[bytes, bytes]) -> None:
    """A process of variant ao.TN.1 that asks for a newer form is refused, not given another."""
    with pytest.raises(UnsupportedProcess):
        spawn_terms({**BASE, b"variant": b"ao.TN.1", **asked}, HELD)


@pytest.mark.parametrize("wrong", [("legacy", "ans104@1.0"), ("hash-chain", "json@1.0"), ("", "")])
def test_defaults_are_built(wrong: tuple[str, str]) -> None:
    """A node cannot be told to give what it cannot give."""
    with pytest.raises(ValueError, match="is one of"):
        Defaults(*wrong)


@pytest.mark.parametrize(("name", "value"), NOT_BUILT)
def test_what_is_not_built_is_refused_and_never_defaulted(name: bytes, value: bytes) -> None:
    """The choice is fixed for ever at slot 0, so a wrong one is not made."""
    with pytest.raises(UnsupportedProcess) as refusal:
        spawn_terms({**BASE, name: value}, HELD)
    assert len(refusal.value.detail) < 200


@pytest.mark.parametrize(
    "value",
    [
        b"%s,%s,%s" % (THEIRS.ascii, ALSO_OURS.ascii, OURS.ascii),
        b"%s, %s" % (ALSO_OURS.ascii, OURS.ascii),
        b'"%s", "%s"' % (ALSO_OURS.ascii, OURS.ascii),
        b"https://su.example,%s,%s,%s" % (ALSO_OURS.ascii, OURS.ascii, ALSO_OURS.ascii),
    ],
)
def test_signers_keep_the_order_of_the_process(value: bytes) -> None:
    """Of a list, ours sign, each once, in the order in which the process names them."""
    assert spawn_terms({b"scheduler": value}, HELD).signers == (ALSO_OURS, OURS)


@pytest.mark.parametrize("name", [b"Scheduler", b"SCHEDULER", b"scheduler-Location"])
def test_tags_name_the_scheduler_in_any_case(name: bytes, user_wallet: Wallet) -> None:
    """Through a signed message: names lose their case, and repeated tags make a list."""
    tags = [(b"Type", b"Process"), (name, THEIRS.ascii), (name, OURS.ascii)]
    spawn = verify(odd_item(user_wallet, tags))
    assert spawn.is_process
    assert spawn_terms(spawn.keys, HELD) == Terms((OURS,))


def test_scheduler_comes_before_scheduler_location() -> None:
    """The older key serves only where the newer one is absent or empty."""
    older = {b"scheduler-location": OURS.ascii}
    assert spawn_terms(older, HELD).signers == (OURS,)
    assert spawn_terms({b"scheduler": b"", **older}, HELD).signers == (OURS,)
    with pytest.raises(NotOurProcess):
        spawn_terms({b"scheduler": THEIRS.ascii, **older}, HELD)


@pytest.mark.parametrize("keys", [{}, {b"scheduler": b""}, {b"Scheduler": OURS.ascii}])
def test_a_process_without_a_scheduler_is_refused(keys: dict[bytes, bytes]) -> None:
    """Names are in lower case here; without the key nobody is asked to schedule."""
    with pytest.raises(NoScheduler):
        spawn_terms(keys, HELD)


@pytest.mark.parametrize("value", [THEIRS.ascii, b"https://su.example", OURS.ascii[:-1], b","])
def test_a_process_of_others_is_refused(value: bytes) -> None:
    """Holding some wallet is no authority: the process must name one of ours."""
    with pytest.raises(NotOurProcess):
        spawn_terms({b"scheduler": value}, HELD)


def test_whose_process_it_is_comes_before_what_it_asks_for() -> None:
    """A process of others is not judged: only one that is ours is told what is not built."""
    asked = {b"scheduler-chain": b"hash-path", b"variant": b"ao.TN.1"}
    with pytest.raises(NoScheduler):
        spawn_terms(asked, HELD)
    with pytest.raises(NotOurProcess):
        spawn_terms({b"scheduler": THEIRS.ascii, **asked}, HELD)
    with pytest.raises(UnsupportedProcess):
        spawn_terms({**BASE, **asked}, HELD)


@pytest.mark.guarantee("L2")
@pytest.mark.parametrize("name", [b"scheduler", b"scheduler-chain", b"variant"])
def test_a_megabyte_of_wishes_is_refused_unread(name: bytes) -> None:
    """Data may be named like a key; its ten million commas are not split into addresses."""
    with pytest.raises(TooLarge):
        spawn_terms({**BASE, name: b"," * (1 << 20)}, HELD)


def test_a_list_of_schedulers_is_as_long_as_a_tag() -> None:
    """A tag of 3,072 bytes is read to its end, and not one byte more."""
    longest = OURS.ascii.rjust(3072, b",")
    assert named_schedulers({b"scheduler": longest}) == [OURS]
    with pytest.raises(TooLarge):
        named_schedulers({b"scheduler": b"," + longest})


def test_a_hint_behind_an_address_is_for_discovery_only() -> None:
    """The address counts as it would alone."""
    hinted = b"%s?hint=https://a.example, %s" % (THEIRS.ascii, OURS.ascii)
    assert named_schedulers({b"scheduler": hinted}) == [THEIRS, OURS]
    assert spawn_terms({b"scheduler": OURS.ascii + b"?hint=x"}, HELD) == Terms((OURS,))


def test_named_schedulers_are_addresses_only() -> None:
    """What is no address cannot be ours, and is passed over."""
    assert named_schedulers({b"scheduler": b"x, %s,," % THEIRS.ascii}) == [Id(THEIRS)]
