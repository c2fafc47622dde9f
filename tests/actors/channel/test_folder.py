"""The folder of the sockets is ours alone."""

from __future__ import annotations

import os
import pickle
import tempfile

import pytest

from actors.channel import SocketFolder
from actors.channel.folder import MAX_PATH_BYTES
from protocol.errors import Unavailable


def test_a_new_folder_is_ours_alone(folder) -> None:
    """Nobody else can enter it, and two are not the same."""
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.check()
    other = SocketFolder.create()
    assert other != folder
    other.remove()


def test_its_sockets_have_short_names(folder, monkeypatch, tmp_path) -> None:
    """Wherever temporary files go, a socket's path is one that the system takes."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    short = SocketFolder.create()
    for shard in (0, 65_535):
        assert len(os.fsencode(short.socket(shard))) <= MAX_PATH_BYTES
    assert folder.socket(0) != folder.socket(1)
    short.remove()


def test_it_can_be_handed_to_another_program(folder) -> None:
    """A copy names the same sockets."""
    copy = pickle.loads(pickle.dumps(folder))
    assert copy == folder
    assert copy.socket(3) == folder.socket(3)


def test_removing_takes_what_is_in_it(folder) -> None:
    """Sockets that dead programs left go with it; removing again changes nothing."""
    folder.socket(0).touch()
    folder.remove()
    assert not folder.path.exists()
    folder.remove()


def test_who_comes_last_removes_it() -> None:
    """Leaving takes an empty folder away, and no other."""
    folder = SocketFolder.create()
    folder.socket(0).touch()
    folder.leave()
    assert folder.path.is_dir()
    folder.socket(0).unlink()
    folder.leave()
    folder.leave()
    assert not folder.path.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701, 0o500])
def test_a_folder_open_to_others_is_refused(folder, mode) -> None:
    """Only the exact mode will do."""
    folder.path.chmod(mode)
    with pytest.raises(Unavailable):
        folder.check()


def test_another_users_folder_is_refused(folder, monkeypatch) -> None:
    """A folder that somebody else made for us is not used."""
    monkeypatch.setattr(os, "geteuid", lambda: folder.path.stat().st_uid + 1)
    with pytest.raises(Unavailable):
        folder.check()


def test_what_is_no_folder_is_refused(folder, tmp_path) -> None:
    """Nothing, a file and a link to a folder are refused."""
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(folder.path)
    file.touch(mode=0o700)
    for path in (link, file, tmp_path / "nothing"):
        with pytest.raises(Unavailable):
            SocketFolder(path).check()


def test_where_no_folder_can_be_made_is_said(monkeypatch, tmp_path) -> None:
    """A missing place for temporary files has its error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing"))
    with pytest.raises(Unavailable):
        SocketFolder.create()
