from __future__ import annotations

from pathlib import Path

from bench.bulk import fill
from protocol.chain import HashChain
from storage import open_writer


def test_a_store_in_bulk_is_a_store(tmp_path: Path) -> None:
    """Processes written in bulk have all their slots, in one chain, with nothing left to do."""
    with open_writer(tmp_path / "store") as journal:
        processes = fill(journal, bytes(512), processes=3, slots=4)
        assert sorted(journal.processes()) == sorted(processes)
        assert journal.work() == []
        for process in processes:
            link = ""
            for assignment in journal.page(process, 0, None).assignments:
                link = HashChain().next(link, assignment.message_id)
                assert assignment.link == link
                assert journal.body(assignment.message_id).encoded
            assert journal.head(process).published == 3
