"""`ao-scheduler config` tells what is in effect, and why, and no secret."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from node.cli.main import app
from node.config import Config, load
from node.config.display import shown
from node.config.names import FIELDS


def printed(*arguments: str, **environment: str):
    done = CliRunner().invoke(app, ["config", "--json", *arguments], env=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_every_setting_is_printed_with_its_source() -> None:
    """Each field stands there with its value and where that came from."""
    found = printed("--data", "d", "--set", "server.port=0", AO_SCHEDULER_LOG_LEVEL="info")
    assert found.keys() == FIELDS.keys()
    assert found["store.data"] == {"value": "d", "from": "--data"}
    assert found["server.port"] == {"value": 0, "from": "--set"}
    assert found["log.level"] == {"value": "info", "from": "AO_SCHEDULER_LOG_LEVEL"}
    assert found["limits.headers"] == {"value": 200, "from": "default"}


def test_people_get_a_table() -> None:
    """Without --json there is a line per setting."""
    shown_to_people = CliRunner().invoke(app, ["config"]).stdout
    assert re.search(r"^server\.port +8734 +default$", shown_to_people, re.MULTILINE)
    assert len(shown_to_people.splitlines()) == 1 + len(FIELDS)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("https://user:hunter2@b.example/tx?key=hunter2", "https://***@b.example/tx?***"),
        ("https://hunter2@b.example", "https://***@b.example"),
        ("https://b.example/#hunter2", "https://b.example/#***"),
        ("https://[hunter2", "***"),
        ("https://b.example/tx", "https://b.example/tx"),
    ],
)
def test_secrets_are_not_printed(given: str, seen: str) -> None:
    """User, password, query and fragment of an address are hidden."""
    assert shown(given) == seen
    assert printed("--set", f"bundler.url={given}")["bundler.url"]["value"] == seen
    assert printed("--set", f"peers.notify={given}")["peers.notify"]["value"] == [seen]


def test_a_wallet_is_never_read(tmp_path: Path) -> None:
    """What a wallet file holds is not looked at, let alone printed."""
    file = tmp_path / "wallet.json"
    file.write_text("hunter2")
    assert "hunter2" not in json.dumps(printed("--wallet", str(file)))


@pytest.mark.parametrize("arguments", [["--set", "server.port"], ["--set", "=1"], ["--set", "x=1"]])
def test_a_setting_that_is_none_is_refused(arguments: list[str]) -> None:
    """--set takes a known name and a value."""
    failed = CliRunner().invoke(app, ["config", *arguments])
    assert failed.exit_code in {1, 2}
    assert failed.stderr.startswith("error: ")


def test_the_configuration_explains_itself(tmp_path: Path) -> None:
    """--explain prints a file with a sentence for every setting, which loads as what it says."""
    told = CliRunner().invoke(app, ["config", "--explain", "--set", "server.port=1"]).stdout
    assert "# Port to listen on; 0 takes a free one.\nport = 1  # --set\n" in told
    file = tmp_path / "node.toml"
    file.write_text(told, "utf-8")
    assert load(file).config == Config(server={"port": 1})


def test_every_field_says_what_it_does() -> None:
    """Each field of the model has a description."""
    sections = [field.annotation for field in Config.model_fields.values()]
    fields = [field for section in sections for field in section.model_fields.values()]
    assert len(fields) == len(FIELDS)
    assert all(field.description for field in fields)
