from __future__ import annotations

import os
import pickle
import shutil
import threading
from pathlib import Path

import pytest

from actors.uploader import FolderUploader, Upload
from protocol.errors import UploadFailed
from protocol.ids import digest_id


@pytest.fixture
def uploader(tmp_path):
    return FolderUploader(tmp_path / "published")


def test_items_offered_together_lie_in_one_bundle(uploader) -> None:
    """A file is an ANS-104 bundle under the first two characters of its own hash."""
    uploads = [upload_of(b"one"), upload_of(b"two")]
    first, second = uploader.upload(uploads)
    assert first == second
    (file,) = files_below(uploader.folder)
    assert first == f"folder:{file.name[:2]}/{file.name}"
    content = file.read_bytes()
    assert content[:32] == (2).to_bytes(32, "little")
    assert content[32:64] == (3).to_bytes(32, "little")
    assert content.endswith(uploads[1].id + b"onetwo")
    assert dict(uploader.items()) == {upload.id: upload.item for upload in uploads}


def test_nothing_to_upload_is_no_error(uploader) -> None:
    """An empty offer is acknowledged as such, and leaves no file."""
    assert uploader.upload([]) == []
    assert not uploader.folder.exists()


def test_items_can_be_uploaded_again(uploader) -> None:
    """After a restart items come again; nothing is left over from either time."""
    uploads = [upload_of(b"item")]
    assert uploader.upload(uploads) == uploader.upload(uploads)
    assert len(files_below(uploader.folder)) == 1


@pytest.mark.guarantee("S5")
def test_acknowledged_items_are_flushed(uploader, monkeypatch) -> None:
    """Contents are flushed before their names, and names before they are acknowledged.

    Those of the folders as well: another thread may have made them a moment ago.
    """
    steps = record_steps(monkeypatch)
    uploader.upload([upload_of(b"item")])
    (target,) = files_below(uploader.folder)
    written = steps.index(("rename", target.name))
    assert steps[written - 1][0] == "flush file"
    assert steps[written + 1] == ("flush folder", target.parent.name)
    flushed = {name for step, name in steps if step == "flush folder"}
    assert flushed >= {uploader.folder.name, uploader.folder.parent.name}


@pytest.mark.guarantee("S5")
def test_folders_of_another_thread_are_flushed_too(uploader, monkeypatch) -> None:
    """A folder that is there already may not be durable yet; known to be, it costs nothing."""
    other = FolderUploader(uploader.folder)
    other.upload([upload_of(b"item")])
    steps = record_steps(monkeypatch)
    for _ in range(2):
        uploader.upload([upload_of(b"item")])
    above = [uploader.folder.name, uploader.folder.parent.name]
    assert [name for step, name in steps if name in above] == above


def test_a_bundle_is_flushed_once(uploader, monkeypatch) -> None:
    """However many items are offered together, they pay for one flush of one file."""
    steps = record_steps(monkeypatch)
    uploader.upload([upload_of(b"%d" % number) for number in range(9)])
    assert [step for step, _ in steps].count("flush file") == 1


def test_a_reader_never_sees_half_an_item(uploader, monkeypatch) -> None:
    """An item that could not be flushed is not there, nor is any leftover of it."""

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UploadFailed, match="No space left on device"):
        uploader.upload([upload_of(b"item")])
    assert files_below(uploader.folder) == []


def test_a_folder_that_cannot_be_made_fails_the_upload(tmp_path) -> None:
    """Where a file stands in the way the upload fails, to be tried again."""
    (tmp_path / "published").write_text("in the way")
    with pytest.raises(UploadFailed):
        FolderUploader(tmp_path / "published").upload([upload_of(b"item")])


def test_a_folder_that_was_removed_is_made_again(uploader) -> None:
    """Where the whole folder is taken away, one upload fails and the next one finds its place."""
    uploader.upload([upload_of(b"item")])
    shutil.rmtree(uploader.folder)
    with pytest.raises(UploadFailed):
        uploader.upload([upload_of(b"item")])
    uploader.upload([upload_of(b"item")])
    assert [item for _, item in uploader.items()] == [b"item"]


def test_several_threads_may_upload_at_once(uploader) -> None:
    """Uploads of the same and of other items do not disturb each other."""
    uploads = [upload_of(b"%d" % number) for number in range(30)]
    threads = [threading.Thread(target=uploader.upload, args=(uploads,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(uploader.items()) == [(upload.id, upload.item) for upload in uploads]


def test_the_uploader_can_be_sent_to_another_program(uploader) -> None:
    """It is part of what a spawned program is started with."""
    assert pickle.loads(pickle.dumps(uploader)).folder == uploader.folder


def upload_of(item: bytes) -> Upload:
    return Upload(digest_id(item), "message", item)


def files_below(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def record_steps(monkeypatch) -> list[tuple[str, str]]:
    """Write down what is flushed and renamed, in order."""
    steps = []
    fsync, rename = os.fsync, Path.rename

    def flush(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append(("flush folder" if path.is_dir() else "flush file", path.name))
        fsync(descriptor)

    def put_in_place(self: Path, target: Path) -> Path:
        steps.append(("rename", target.name))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(Path, "rename", put_in_place)
    return steps
