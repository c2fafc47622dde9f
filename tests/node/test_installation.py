from __future__ import annotations

import os
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from node.installation import PACKAGES, complaint
from tests.sources import ROOT


def test_our_own_packages_pass() -> None:
    """An environment that holds our packages and no others of those names has no complaint."""
    assert complaint() is None


@pytest.mark.parametrize("name", ["actors", "storage", "protocol"])
def test_a_foreign_package_that_is_found_first_is_named(name: str, tmp_path: Path) -> None:
    """A foreign package ahead of ours stops the program with one line, and is never run."""
    foreign = tmp_path / name / "__init__.py"
    foreign.parent.mkdir()
    foreign.write_text("raise SystemExit('foreign code ran')")
    finished = run(["-m", "node.cli", "wallet", "address"], path=[tmp_path, ROOT], cwd=tmp_path)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr.startswith(f"error: {foreign} is not part of ao-scheduler")
    assert "environment of its own" in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    """A package of ours that is not installed is named."""
    installed(tmp_path)
    shutil.rmtree(tmp_path / "storage")
    assert complaint_in(tmp_path).startswith("the package 'storage' is missing")


def test_an_installed_copy_passes(tmp_path: Path) -> None:
    """An installation whose files are as they were recorded has no complaint."""
    installed(tmp_path)
    assert complaint_in(tmp_path) == "None"


def test_a_foreign_package_installed_over_ours_is_named(tmp_path: Path) -> None:
    """A distribution that replaced our files in the same folder is noticed by their digest."""
    installed(tmp_path)
    overwritten = tmp_path / "actors" / "__init__.py"
    overwritten.write_text("'''Another distribution called actors.'''")
    assert complaint_in(tmp_path).startswith(f"{overwritten} is not part of ao-scheduler")


def installed(site: Path) -> None:
    # What an installer leaves: the packages, and a record of every file with its digest.
    recorded = []
    for package in PACKAGES:
        (site / package).mkdir()
        initial = site / package / "__init__.py"
        initial.write_text(f"'''Our {package}.'''")
        digest = urlsafe_b64encode(sha256(initial.read_bytes()).digest()).rstrip(b"=").decode()
        recorded.append(f"{package}/__init__.py,sha256={digest},{initial.stat().st_size}\n")
    shutil.copy(ROOT / "node" / "installation.py", site / "node")
    info = site / "ao_scheduler-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ao-scheduler\nVersion: 0.1.0\n")
    (info / "RECORD").write_text("".join(recorded))


def complaint_in(site: Path) -> str:
    # -S leaves out the environment that the tests run in.
    code = "from node.installation import complaint; print(complaint())"
    finished = run(["-S", "-c", code], path=[site], cwd=site)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def run(arguments, *, path, cwd) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
