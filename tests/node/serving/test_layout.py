"""Which programs serve a node."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from node.config import Config
from node.serving.layout import shards_of
from storage import open_writer


def config(data: Path, shards: int | None = None, mode: str = "aggressive") -> Config:
    return Config(store={"data": data, "shards": shards}, scheduling={"mode": mode})


@pytest.mark.parametrize(("cores", "shards"), [(1, 1), (2, 1), (3, 2), (8, 7), (128, 64)])
def test_a_new_store_leaves_one_core_to_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, shards: int
) -> None:
    """One shard for each of the other cores, at least one, and at most what a store may have."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert shards_of(config(tmp_path / "data")) == shards


def test_a_store_keeps_its_number(tmp_path: Path) -> None:
    """Unless another one is asked for, which the store then refuses or not."""
    open_writer(tmp_path, shards=3).close()
    assert shards_of(config(tmp_path)) == 3
    assert shards_of(config(tmp_path, shards=0)) == 0
    assert shards_of(config(tmp_path, shards=5)) == 5


def test_who_only_reads_has_no_shards(tmp_path: Path) -> None:
    """However many the store has, and whatever is asked for."""
    open_writer(tmp_path, shards=2).close()
    assert shards_of(config(tmp_path, mode="disabled")) == 0
    assert shards_of(config(tmp_path, shards=2, mode="disabled")) == 0
