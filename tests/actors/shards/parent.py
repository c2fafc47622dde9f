"""A parent that something happens to: it starts two programs, and says their PIDs.

Run as `python -m tests.actors.shards.parent LINE TARGET [PATH]...`; it ends once its input does.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from actors.shards.child import ChildSpec
from actors.shards.supervisor import Supervisor
from tests.actors.shards import children
from tests.actors.shards.lines import CALM, until


def main(line: str, target: str, *paths: str) -> None:
    """Run two programs of a kind, and never stop them."""
    run, args = getattr(children, target), tuple(Path(path) for path in paths)
    supervisor = Supervisor([ChildSpec(f"program {n}", n, run, args) for n in range(2)], CALM)
    starting = threading.Thread(target=supervisor.start, daemon=True)
    starting.start()
    until(lambda: len(supervisor.pids) == 2)
    if target != "opening":
        starting.join()
    children.say(Path(line), " ".join(map(str, supervisor.pids)))
    for _ in sys.stdin:
        children.say(Path(line), str(heir().pid))


def heir() -> subprocess.Popen[bytes]:
    """Start a program that inherits all that this one has open."""
    descriptors = {int(each.name) for each in Path("/proc/self/fd").iterdir()}
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    return subprocess.Popen(command, pass_fds=descriptors - {0, 1, 2})


if __name__ == "__main__":
    main(*sys.argv[1:])
