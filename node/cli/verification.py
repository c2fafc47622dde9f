"""`verify [PROCESS]`: check what the store promises, from its records alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

import typer

from node.cli.bar import bar
from node.cli.far import FarNode, NodeUrl
from node.cli.options import options
from node.cli.program import FAILED
from node.cli.screen import plain
from protocol.errors import UntrustedSchedule
from protocol.ids import Id
from storage.verify import Report, verify_store


def verify(
    context: typer.Context,
    process: Annotated[
        Id | None,
        typer.Argument(parser=Id.parse, metavar="PROCESS", help="Check this process only."),
    ] = None,
    node: NodeUrl = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check slots, chains, signatures, index and receipts.

    Exit code 0 only if all is well. Runs on all cores, beside a running writer. Of a node, one
    process is checked: every slot, link and signature, with nothing taken on trust.
    """
    if node:
        raise typer.Exit(verify_far(node, process, as_json=as_json))
    with progress() as told:
        report = verify_store(options(context).data, process, progress=told)
    typer.echo(json.dumps(report.as_dict()) if as_json else as_lines(report))
    raise typer.Exit(0 if report.ok else FAILED)


def verify_far(url: str, process: Id | None, *, as_json: bool) -> int:
    """Check the whole schedule of a process at a node; return the exit code."""
    if process is None:
        raise typer.BadParameter("--node needs a PROCESS")
    slots, problem = 0, None
    with FarNode(url) as node, progress() as told:
        try:
            newest = node.newest(process)
            for slots, _ in enumerate(node.entries(process, 0, newest), 1):
                if told:
                    told(slots, newest + 1)
        except UntrustedSchedule as exc:
            problem = plain(exc.detail)
    found = {"ok": problem is None, "process": str(process), "slots": slots, "problem": problem}
    verdict = problem or f"all is well: {counted(slots, 'slots')}"
    typer.echo(json.dumps(found) if as_json else verdict)
    return 0 if problem is None else FAILED


@contextmanager
def progress() -> Iterator[Callable[[int, int], None] | None]:
    """Show how many slots are verified, on a terminal; else there is nothing to call."""
    with bar("slots") as shown:
        yield shown and partial(shown, "verifying")


def as_lines(report: Report) -> str:
    """The report for people: every problem known, then the verdict."""
    problems = [plain(str(problem)) for problem in report.problems]
    if unlisted := report.problem_count - len(problems):
        problems.append(f"and {unlisted} more")
    checked = ", ".join(
        counted(getattr(report, noun), noun)
        for noun in ("processes", "assignments", "signatures", "receipts")
    )
    verdict = "all is well" if report.ok else counted(report.problem_count, "problems")
    return "\n".join([*problems, f"{verdict}: {checked} in {report.seconds:.1f} s"])


def counted(number: int, nouns: str) -> str:
    """A number of things, in words."""
    one = nouns.removesuffix("es" if nouns.endswith("sses") else "s")
    return f"{number} {one if number == 1 else nouns}"
