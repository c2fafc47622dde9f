"""Defaults, then the file, then the environment, then flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors import SchedulingMode
from node.config import Config, ConfigInvalid, load
from node.config.names import FIELDS, VARIABLES

SECRET = "hunter2-and-a-private-exponent"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written = tmp_path / "node.toml"
    written.write_text("[server]\nport = 1\nhost = '::1'\n[scheduling]\nmode = 'aggressive'\n")
    return written


def test_without_sources_there_are_the_defaults() -> None:
    """Nothing said means the embedded defaults, and every field says so."""
    loaded = load()
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}


def test_each_source_wins_over_the_one_before(file: Path) -> None:
    """A flag wins over the environment, that over the file, and that over the default."""
    environment = {"AO_SCHEDULER_SERVER_PORT": "2", "AO_SCHEDULER_SERVER_HOST": "::2"}
    loaded = load(file, environment, {"server.port": ("--port", "3")})
    assert (loaded.config.server.port, loaded.config.server.host) == (3, "::2")
    assert loaded.config.scheduling.mode is SchedulingMode.AGGRESSIVE
    assert loaded.origins["server.port"] == "--port"
    assert loaded.origins["server.host"] == "AO_SCHEDULER_SERVER_HOST"
    assert loaded.origins["scheduling.mode"] == str(file)
    assert loaded.origins["server.http3"] == "default"


def test_the_environment_names_the_file(file: Path) -> None:
    """AO_SCHEDULER_CONFIG names the file where no flag does."""
    assert load(environment={"AO_SCHEDULER_CONFIG": str(file)}).config.server.port == 1


def test_every_field_has_a_variable_of_its_own() -> None:
    """No two fields share a variable, and none takes a name that an orchestrator sets."""
    assert len(VARIABLES) == len(FIELDS)
    assert not any(name.startswith("AO_SCHEDULER_PORT") for name in VARIABLES)
    assert not any(name.startswith("AO_SCHEDULER_SERVICE") for name in VARIABLES)


def test_several_values_are_separated_by_commas() -> None:
    """Lists are written with commas in the environment and in flags."""
    environment = {"AO_SCHEDULER_WALLET": "a.json, b.json", "AO_SCHEDULER_PEERS_PORTS": "80,81"}
    flags = {"scheduling.accept_signature_types": ("--set", "2,3")}
    config = load(None, environment, flags).config
    assert config.store.wallets == (Path("a.json"), Path("b.json"))
    assert config.peers.ports == (80, 81)
    assert config.scheduling.accept_signature_types == (2, 3)


def test_an_empty_variable_is_not_set() -> None:
    """A variable that is there and empty leaves the default."""
    assert load(environment={"AO_SCHEDULER_SERVER_PORT": ""}).config == Config()


def test_variables_of_others_are_left_alone() -> None:
    """What an orchestrator sets for a service of our name is no configuration of ours."""
    assert load(environment={"AO_SCHEDULER_PORT": "tcp://10.0.0.1:80"}).config == Config()


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("[server]\nprot = 1", "there is no 'server.prot' to configure"),
        ("[sever]\nport = 1", "there is no 'sever.port' to configure"),
        ("port = 1", "port is not a table"),
        ("[server", "is not TOML"),
        ("[server]\nport = 99999", "server.port (from "),
        ("[limits]\nbody_seconds = inf", "limits.body_seconds (from "),
        ("[server]\nhttp3 = true", "server.http3 needs server.tls_certificate"),
        ("[server]\ntls_key = 'k'", "server.tls_certificate and server.tls_key belong together"),
        ("[server]\ntrusted_proxies = ['me']", "server.trusted_proxies (from "),
        ("[store]\nwallets = []", "store.wallets (from "),
    ],
)
def test_a_fault_is_named_with_its_source(tmp_path: Path, written: str, complaint: str) -> None:
    """What cannot be used is refused in one line that says what and where."""
    file = tmp_path / "node.toml"
    file.write_text(written)
    with pytest.raises(ConfigInvalid) as refused:
        load(file)
    assert complaint in refused.value.detail
    assert "\n" not in refused.value.detail.strip()


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """A file that was named must be readable."""
    with pytest.raises(ConfigInvalid, match="No such file"):
        load(tmp_path / "none.toml")


def test_a_fault_never_quotes_the_value() -> None:
    """A key that was put in the wrong place is not repeated, nor kept in the error."""
    for variable in ("AO_SCHEDULER_SERVER_PORT", "AO_SCHEDULER_SCHEDULING_MODE"):
        with pytest.raises(ConfigInvalid) as refused:
            load(environment={variable: SECRET})
        assert SECRET not in repr(refused.value)
        assert refused.value.__context__ is None


def test_a_key_in_place_of_its_file_is_refused() -> None:
    """A JWK where the file's name belongs is refused without being shown."""
    with pytest.raises(ConfigInvalid) as refused:
        load(environment={"AO_SCHEDULER_WALLET": f'{{"d": "{SECRET}"}}'})
    assert "name of its file" in refused.value.detail
    assert SECRET not in repr(refused.value)


def test_one_program_is_one_gateway() -> None:
    """Several gateways need shards of their own, unless there is nothing to schedule."""
    flags = {"server.gateways": ("--gateways", "2"), "store.shards": ("--shards", "0")}
    with pytest.raises(ConfigInvalid, match=r"server\.gateways above 1 needs store\.shards"):
        load(flags=flags)
    assert load(flags={**flags, "store.shards": ("--shards", "1")}).config.store.shards == 1
    reads = load(flags={**flags, "scheduling.mode": ("--mode", "disabled")}).config
    assert (reads.server.gateways, reads.store.shards) == (2, 0)


@pytest.mark.parametrize(
    "flags",
    [
        {"store.shards": ("--shards", "-1")},
        {"store.shards": ("--shards", "65")},
        {"server.gateways": ("--gateways", "0")},
    ],
)
def test_numbers_of_programs_make_sense(flags: dict[str, tuple[str, str]]) -> None:
    """No store has fewer than no shards or more than 64, and somebody has to serve."""
    with pytest.raises(ConfigInvalid):
        load(flags=flags)
