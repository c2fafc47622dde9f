"""The tables of a closed store, past everything that guards them."""

from __future__ import annotations

from pathlib import Path

import lmdb

from storage.tables import TABLES


class Raw:
    """One write transaction over one table."""

    def __init__(self, root: Path, table: str, shard: str = "shard-000") -> None:
        self._lmdb = lmdb.open(str(root / shard), map_size=1 << 30, max_dbs=len(TABLES))
        self._table = self._lmdb.open_db(table.encode(), create=False)

    def __enter__(self) -> lmdb.Transaction:
        self._transaction = self._lmdb.begin(self._table, write=True)
        return self._transaction.__enter__()

    def __exit__(self, *error: object) -> None:
        self._transaction.__exit__(*error)
        self._lmdb.close()
