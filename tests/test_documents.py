from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import node.errors
import protocol.errors
from node.config.names import FIELDS
from node.metrics import Metrics
from node.metrics.standing import MEANINGS, OF_SHARDS
from protocol.errors import SchedulerError
from tests.sources import FLOORS, ROOT, parsed, python_files

DOCS = ROOT / "docs"
HTTP = (DOCS / "HTTP.md").read_text("utf-8")
OPERATING = (DOCS / "OPERATING.md").read_text("utf-8")
ALARMS = {"warning", "exception", "error"}
KINDS = sorted(
    {
        kind
        for module in (protocol.errors, node.errors)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, SchedulerError)
    },
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_code_is_explained(kind: type[SchedulerError]) -> None:
    """docs/HTTP.md names each code; where it lists it with a status, that is the status."""
    assert f"`{kind.code}`" in HTTP
    listed = [row[1] for row in rows(HTTP) if f"`{kind.code}`" in row[0]]
    assert listed in ([str(kind.status)], [])


def test_every_setting_is_explained() -> None:
    """docs/OPERATING.md has one row for each setting, and no setting that is none."""
    listed = [found for row in rows(OPERATING) if (found := setting(row[0]))]
    assert sorted(listed) == sorted(FIELDS)


def test_settings_that_are_mentioned_exist() -> None:
    """A setting that a document tells to change can be changed."""
    sections = "|".join({name.partition(".")[0] for name in FIELDS})
    for text in (HTTP, OPERATING):
        assert set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", text)) <= set(FIELDS)


def test_every_alarm_is_explained() -> None:
    """docs/OPERATING.md says what each event means that is written as a warning or worse."""
    explained = {name for row in rows(OPERATING) for name in re.findall(r"`([a-z_0-9]+)`", row[0])}
    assert set(alarms()) <= explained


def test_every_metric_is_explained() -> None:
    """docs/OPERATING.md names all of them; the dashboard draws no other."""
    explained = {name for row in rows(OPERATING) for name in re.findall(r"`(ao_[a-z_]+)`", row[0])}
    assert explained == metrics()
    drawn = re.findall(r"\bao_[a-z_]+", (DOCS / "grafana.json").read_text("utf-8"))
    assert {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in drawn} <= explained


@pytest.mark.parametrize("file", sorted(DOCS.glob("*.md")), ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    """A link to another file of the project leads to one, and a link to a heading to that."""
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text("utf-8")):
        name, _, heading = target.partition("#")
        if "://" in target:
            continue
        linked = (file.parent / name).resolve() if name else file
        assert linked.exists(), target
        assert not heading or heading in anchors(linked.read_text("utf-8")), target


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def setting(cell: str) -> str | None:
    """The setting that a cell holds, and nothing else."""
    found = re.fullmatch(r"`([a-z]+\.[a-z_0-9]+)`", cell)
    return found[1] if found else None


def anchors(text: str) -> set[str]:
    """The names under which the headings of a document can be linked to."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def metrics() -> set[str]:
    """The names of all metrics: those that are counted, and those that are asked at each scrape."""
    counted = re.findall(r"^# TYPE (\w+) ", Metrics().exposition().decode(), re.MULTILINE)
    names = {name.removesuffix("_total") for name in counted if not name.endswith("_created")}
    return names | {f"ao_{name}" for name in (*MEANINGS, *OF_SHARDS)}


def alarms() -> Iterator[str]:
    """The events that are written as warnings or worse."""
    for file in python_files(*FLOORS):
        for part in ast.walk(parsed(file)):
            match part:
                case ast.Call(ast.Attribute(ast.Name("log"), level), [event, *_]):
                    if level in ALARMS:
                        yield from literals(event)


def literals(event: ast.expr) -> Iterator[str]:
    """The texts in an expression: an event may be chosen from two."""
    for part in ast.walk(event):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value
