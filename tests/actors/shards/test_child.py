"""Programs that start others from main modules of every kind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from protocol.errors import ProgramsFailed
from tests.actors.outside import PATIENCE
from tests.actors.shards import children
from tests.sources import ROOT

WORK = """
from actors.shards.child import ChildSpec
from actors.shards.supervisor import Supervisor
from tests.actors.shards.children import obedient
supervisor = Supervisor([ChildSpec("shard 0", 0, obedient)])
supervisor.start()
print(supervisor)
supervisor.stop()
"""

GUARDED = """
class Own:
    "What a user's main module defines, and hands to a shard."

def run(control, own):
    assert type(own) is Own
    control.ready()
    control.run()

if __name__ == "__main__":
    from actors.shards.child import ChildSpec
    from actors.shards.supervisor import Supervisor
    supervisor = Supervisor([ChildSpec("shard 0", 0, run, (Own(),))])
    supervisor.start()
    print(supervisor)
    supervisor.stop()
"""

WELL = "<Supervisor shard 0:ready>\n"


def python(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def test_a_main_module_may_define_what_it_hands_over(tmp_path: Path) -> None:
    """Classes and functions of a guarded script arrive in the programs it starts."""
    script = tmp_path / "script.py"
    script.write_text(GUARDED)
    result = python(str(script))
    assert (result.stdout, result.stderr) == (WELL, "")


def test_a_command_line_can_start_programs() -> None:
    """`python -c` has no file that could be imported once more."""
    result = python("-c", WORK)
    assert (result.stdout, result.stderr) == (WELL, "")


def test_a_program_that_lets_the_system_reap_can_start_programs() -> None:
    """Where SIGCHLD is ignored nobody learns an exit code, but everybody who has ended."""
    result = python("-c", "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)" + WORK)
    assert (result.stdout, result.stderr) == (WELL, "")


def test_what_only_a_command_line_defines_cannot_be_handed_over() -> None:
    """The error names what is missing in the other program."""
    result = python("-c", GUARDED)
    assert result.returncode
    assert "what it was given cannot be read in another program" in result.stderr
    assert "'run'" in result.stderr


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """Both the program and the one it started say what is missing."""
    script = tmp_path / "script.py"
    script.write_text(WORK)
    result = python(str(script))
    assert result.returncode
    assert result.stdout == ""
    assert "programs cannot be started while the main module is being imported" in result.stderr
    last = result.stderr.splitlines()[-1]
    assert "shard 0 ended with exit code 1 before it began" in last
    assert '`if __name__ == "__main__":`' in last


def test_a_script_that_is_no_file_is_told_so() -> None:
    """A script that comes over standard input cannot be imported once more."""
    result = python("-", given=GUARDED)
    assert result.returncode
    last = result.stderr.splitlines()[-1]
    assert "shard 0 ended with exit code 1 before it began" in last
    assert "must be a file" in last


def test_a_daemonic_program_is_told_that_it_starts_no_others(supervised, monkeypatch) -> None:
    """The error says what to do instead of which assertion failed."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    with pytest.raises(ProgramsFailed, match="daemon=False, or use shards=0"):
        supervised([children.obedient]).start()


def test_an_interrupt_while_a_program_is_imported_is_the_parents(tmp_path, line, bar) -> None:
    """Ctrl-C reaches a program before it can ignore it, and is held back until then."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.actors.shards.children import pass_bar, say\n"
        "if __name__ == '__mp_main__':\n"
        f"    say(Path({str(line.path)!r}), 'importing')\n"
        f"    pass_bar(Path({str(bar.path)!r}))\n" + GUARDED
    )
    command = [sys.executable, str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        word, pid = line.hear()
        assert word == "importing"
        os.kill(int(pid), signal.SIGINT)
        bar.lift()
        assert process.communicate(timeout=PATIENCE) == (WELL, "")


def test_a_program_inherits_nothing_of_its_siblings(supervised) -> None:
    """No program holds an end of a pipe that leads to another one."""
    supervisor = supervised([children.obedient], [children.obedient])
    supervisor.start()
    # Standard error, for one, may be a socket that all have.
    given = sockets(os.getppid()) & sockets(os.getpid())
    first, second = (sockets(pid) - given for pid in supervisor.pids)
    assert len(first) == len(second) == 1
    assert not first & second
    assert not (first | second) & sockets(os.getpid())


def test_a_secret_is_seen_nowhere(supervised, line) -> None:
    """What a program is given is neither on its command line nor in its environment."""
    secret = "a secret that nobody else may read"
    supervisor = supervised([children.telling_secretly, line.path, secret])
    supervisor.start()
    assert line.hear()[:-1] == secret.split()
    for pid in supervisor.pids:
        for file in ("cmdline", "environ"):
            content = Path(f"/proc/{pid}/{file}").read_bytes()
            assert content
            assert secret.encode() not in content


def sockets(pid: int) -> set[str]:
    """Which sockets a program has open."""
    links: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that reads the folder
            links.add(str(descriptor.readlink()))
    return {link for link in links if link.startswith("socket:")}
