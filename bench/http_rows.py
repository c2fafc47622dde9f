"""What `bench http` finds: a row per case, beside the floor around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.floor import Slice
from bench.http_load import Load
from bench.latency import percentile


@dataclass(frozen=True, slots=True)
class HttpRow:
    """What one row found; the fields are those of the JSON. CPU is None for a foreign node.

    Attributes:
        what: confirmation mode, or the path that was read.
        http: version of the protocol.
        connections: kept alive, a request on each at a time; with HTTP/2, streams of two.
        slots: on the page that was read; None for what is no page.
        per_second: answers a second.
        floor_ratio: the same in units of the floor around this row, for rows that sign.
        p50_ms, p95_ms, p99_ms: from the request to its whole answer.
        server_cpu_us: CPU time of the node per request, until all of it was published.
        signature_cpu_us: of it, one signature and one verification, by the floor.
        rest_cpu_us: of it, everything else: HTTP, scheduling, storing, publishing.
        cpu_bound_ratio: requests per server CPU second, in units of the floor's.
    """

    what: str
    http: int
    connections: int
    slots: int | None
    per_second: float
    floor_ratio: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    server_cpu_us: float | None
    signature_cpu_us: float | None
    rest_cpu_us: float | None
    cpu_bound_ratio: float | None


@dataclass(frozen=True, slots=True)
class Http:
    """What `bench http` found; the fields are those of the JSON.

    Attributes:
        cores: of this machine.
        floor_per_second: median over all slices, all cores.
        rows: in the order they were measured.
    """

    cores: int
    floor_per_second: float
    rows: Sequence[HttpRow]


def row(
    what: str, load: Load, connections: int, version: int = 1, slots: int | None = None
) -> HttpRow:
    """Return the row of a load that signs nothing."""
    p50, p95, p99 = (percentile(load.latencies, percent) * 1000 for percent in (50, 95, 99))
    used = load.cpu_seconds
    cpu = None if used is None else used / len(load.latencies) * 1e6
    return HttpRow(
        what=what,
        http=version,
        connections=connections,
        slots=slots,
        per_second=load.per_second,
        floor_ratio=None,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        server_cpu_us=cpu,
        signature_cpu_us=None,
        rest_cpu_us=cpu,
        cpu_bound_ratio=None,
    )


def beside(row: HttpRow, floor: Slice) -> HttpRow:
    """Return the row of a load that signs and verifies once per request."""
    row = replace(row, floor_ratio=row.per_second / floor.per_second)
    if row.server_cpu_us is None:
        return row
    signature = floor.cpu_seconds * 1e6
    return replace(
        row,
        signature_cpu_us=signature,
        rest_cpu_us=row.server_cpu_us - signature,
        # A row so short that the system counted no CPU time has no ratio.
        cpu_bound_ratio=signature / row.server_cpu_us if row.server_cpu_us else None,
    )
