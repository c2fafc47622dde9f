from __future__ import annotations

import json
import lzma
import os
import re
from base64 import urlsafe_b64decode
from pathlib import Path
from struct import pack

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from node.cli.inspection import UNREADABLE
from node.cli.main import app
from protocol.codecs.avro import encode_tags
from protocol.codecs.deephash import deep_hash
from protocol.ids import digest_id
from protocol.message_ids import unsigned_id
from protocol.wallet import Wallet
from tests.items import signed_message
from tests.sources import ROOT

KEYS = ["codec", "id", "unsigned_id", "verified", "committers", "target", "anchor", "tags"]
KEYS += ["data_size", "error"]

PACKED = ROOT / "tests" / "vectors" / "ans104.json.xz"
VECTORS = json.loads(lzma.decompress(PACKED.read_bytes()))
RECORDED = {
    **{f"{m['name']} {c}": m[c] for m in VECTORS["messages"] for c in ("commit", "commit_bundle")},
    **{item["name"]: item for item in VECTORS["items"] + VECTORS["foreign"]},
}
SIGNED = {name: item for name, item in RECORDED.items() if item and "id" in item}
DAMAGED = {item["name"]: item for item in VECTORS["negative"]}


@pytest.fixture
def inspect(tmp_path: Path):
    """Run `inspect --json` on bytes; gives the report and the exit code."""

    def run(encoded: bytes):
        file = tmp_path / "item"
        file.write_bytes(encoded)
        shown = CliRunner().invoke(app, ["inspect", str(file), "--codec", "ans104", "--json"])
        assert shown.stderr == ""
        report = json.loads(shown.stdout)
        assert list(report) == KEYS
        return report, shown.exit_code

    return run


@pytest.mark.parametrize("name", SIGNED)
def test_a_signed_item_is_shown_as_recorded(inspect, name: str) -> None:
    """The report of a recorded item says what HyperBEAM says about it."""
    recorded = SIGNED[name]
    verified = recorded.get("verify_all", True)  # one item HyperBEAM itself cannot verify
    report, code = inspect(raw(recorded["item_b64u"]))
    assert (report.pop("error") is None) is (code == 0) is verified
    assert report == {
        "codec": "ans104",
        "id": recorded["id"],
        "unsigned_id": recorded["unsigned_id"],
        "verified": verified,
        "committers": [recorded["owner_address"]],
        "target": recorded["target"],
        "anchor": recorded["anchor"],
        "tags": [{"name": tag, "value": value} for tag, value in recorded["tags"]],
        "data_size": len(raw(recorded["data_b64u"])),
    }


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_item_is_judged_as_recorded(inspect, name: str) -> None:
    """A damaged item is unreadable or does not verify, as HyperBEAM found; the JSON says which."""
    recorded = DAMAGED[name]["result"]
    report, code = inspect(raw(DAMAGED[name]["item_b64u"]))
    assert report["verified"] is recorded.get("verify_item", False)
    assert report["id"] == recorded.get("id")
    assert (report["error"] is None) is (code == 0) is report["verified"]
    if "error" in recorded:
        error = report["error"]
        assert report == {**UNREADABLE, "codec": "ans104", "error": error}
        assert error["code"] in {"malformed_item", "unsupported_signature_type"}
    elif code:
        assert report["error"]["code"] == "invalid_signature"


def test_an_ethereum_item_verifies(inspect) -> None:
    """Signature type 3 verifies, with the ID that arbundles gave it."""
    recorded = RECORDED["arb-ethereum"]
    identifier = re.search(r"id (\S{43}) valid true", recorded["note"])[1]
    report, code = inspect(raw(recorded["item_b64u"]))
    assert (report["id"], report["verified"], code) == (identifier, True, 0)


def test_typed_ethereum_is_a_named_refusal(inspect) -> None:
    """Signature type 7 is refused by name; it is not taken for a damaged item."""
    report, code = inspect(raw(RECORDED["arb-typed-ethereum"]["item_b64u"]))
    assert (report["verified"], code) == (False, 1)
    assert report["error"]["code"] == "unsupported_signature_type"


def test_an_ed25519_item_verifies(inspect) -> None:
    """Signature type 2 verifies, and a changed byte of data no longer does."""
    encoded = ed25519_item([], b"data")
    assert inspect(encoded)[1] == 0
    report, code = inspect(encoded[:-1] + b"A")
    assert (report["error"]["code"], code) == ("invalid_signature", 1)


def test_bytes_that_are_not_text_lose_nothing(inspect) -> None:
    """A tag value that is not UTF-8 is shown as an object with its base64url."""
    report, _ = inspect(raw(SIGNED["non-utf8-value commit"]["item_b64u"]))
    assert {"name": "a", "value": {"b64u": "__4AAQ"}} in report["tags"]


def test_people_get_the_same_facts(tmp_path: Path) -> None:
    """Without --json the report is one fact a line, and cannot steer the terminal."""
    recorded = SIGNED["target-and-anchor"]
    file = tmp_path / "item"
    file.write_bytes(raw(recorded["item_b64u"]))
    shown = CliRunner().invoke(app, ["inspect", str(file)])
    assert shown.exit_code == 0
    for fact in (recorded["id"], recorded["owner_address"], recorded["target"]):
        assert fact in shown.stdout
    file.write_bytes(ed25519_item([(b"\x1b[2J", b"\n")], b""))
    assert (
        r'tag          "\u001b[2J" = "\n"' in CliRunner().invoke(app, ["inspect", str(file)]).stdout
    )
    file.write_bytes(b"")
    damaged = CliRunner().invoke(app, ["inspect", str(file)])
    assert damaged.exit_code == 1
    assert "error        malformed_item: " in damaged.stdout


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """A pipe is not waited for, and a device that never ends is not begun."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for file in (pipe, Path("/dev/zero")):
        refused = CliRunner().invoke(app, ["inspect", str(file)])
        assert refused.exit_code == 1
        assert refused.stderr == f"error: {file} is not a regular file\n"


@pytest.mark.parametrize("chosen", [[], ["--codec", "httpsig"]])
def test_a_message_signed_as_an_http_message_is_shown(
    tmp_path: Path, user_wallet: Wallet, chosen: list[str]
) -> None:
    """By the same names; its codec is told by how it begins."""
    message = signed_message(user_wallet, digest_id(b"process"), 7)
    report, code = shown(tmp_path, message.encoded, *chosen)
    assert (report.pop("unsigned_id"), code) == (str(unsigned_id(message.tabm)), 0)
    assert sorted(tag["name"] for tag in report.pop("tags")) == ["ao-types", "reference", "type"]
    assert report == {
        "codec": "httpsig",
        "id": str(message.id),
        "verified": True,
        "committers": [str(user_wallet.address)],
        "target": str(digest_id(b"process")),
        "anchor": "",
        "data_size": len("no 7"),
        "error": None,
    }


def test_a_changed_http_message_does_not_verify(tmp_path: Path, user_wallet: Wallet) -> None:
    """One header more or less than was signed, a body that is not: each has its error."""
    encoded = signed_message(user_wallet, digest_id(b"process")).encoded
    changed = encoded.replace(b"type: Message", b"type: Massage")
    report, code = shown(tmp_path, changed)
    assert (report["error"]["code"], report["verified"], code) == ("invalid_signature", False, 1)
    unsigned = b"type: Message\r\n\r\n"
    report, code = shown(tmp_path, unsigned)
    error = report["error"]
    assert report == {**UNREADABLE, "codec": "httpsig", "error": error}
    assert (error["code"], code) == ("invalid_signature", 1)
    report, _ = shown(tmp_path, encoded, "--codec", "ans104")
    assert report["error"]["code"] == "unsupported_signature_type"


def shown(folder: Path, encoded: bytes, *options: str) -> tuple[dict, int]:
    file = folder / "message"
    file.write_bytes(encoded)
    done = CliRunner().invoke(app, ["inspect", str(file), *options, "--json"])
    return json.loads(done.stdout), done.exit_code


def ed25519_item(tags, data: bytes) -> bytes:
    key = Ed25519PrivateKey.generate()
    owner, encoded = key.public_key().public_bytes_raw(), encode_tags(tags)
    signed = [b"dataitem", b"1", b"2", owner, b"", b"", encoded, data]
    header = pack("<BBQQ", 0, 0, len(tags), len(encoded))
    return b"\2\0" + key.sign(deep_hash(signed)) + owner + header + encoded + data


def raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
