from __future__ import annotations

import pytest

from node.cli.screen import plain, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("slot 1: ä 漢", "slot 1: ä 漢"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b2J", r"\x9b2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_does_not_print_is_written_as_an_escape(text: str, shown: str) -> None:
    """Control characters, writing direction and stray bytes are shown, not obeyed."""
    assert plain(text) == shown


def test_rows_stand_under_their_heading(capsys: pytest.CaptureFixture[str]) -> None:
    """Off a terminal the columns are aligned by blanks, and no cell spans two lines."""
    table(("name", "slot"), [("a\nb", 1), ("longer", 22)])
    assert capsys.readouterr().out.splitlines() == ["name    slot", r"a\nb    1", "longer  22"]


def test_no_rows_are_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an empty table nothing is left, not even the heading."""
    table(("name", "slot"), [])
    assert capsys.readouterr().out == ""
