from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from exporter import formats
from exporter.errors import OutputError, UnsupportedError, UsageError
from exporter.run.staging import staged

REPORT = json.dumps({"generator": "keras-exporter", "schema_version": 1})


@pytest.fixture
def exported(tmp_path):
    """The folder of an earlier export."""
    folder = tmp_path / "dist" / "digits"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(REPORT)
    (folder / "model.onnx").write_text("old")
    return folder


@pytest.fixture
def unprivileged():
    """A folder of one's own, seen by a user whom permissions bind: root is bound by none."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


def export_into(output, text="new"):
    with staged(output) as stage:
        (stage.path / "report.json").write_text(REPORT)
        (stage.path / "model.onnx").write_text(text)
        stage.commit()


def fail_into(output, error):
    with staged(output) as stage:
        (stage.path / "model.onnx").write_text("half")
        raise error


def files_below(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_new_folder_appears_with_its_parents(tmp_path):
    export_into(tmp_path / "a" / "b" / "digits")
    assert files_below(tmp_path) == {"a/b/digits/report.json": REPORT, "a/b/digits/model.onnx": "new"}
    assert list((tmp_path / "a" / "b").iterdir()) == [tmp_path / "a" / "b" / "digits"]


def test_nothing_shows_under_the_final_name_before_the_commit(tmp_path):
    with staged(tmp_path / "digits") as stage:
        (stage.path / "model.onnx").write_text("new")
        assert not (tmp_path / "digits").exists()
        assert stage.path.parent == tmp_path


def test_an_earlier_export_is_replaced_as_a_whole(exported):
    (exported / "model.tflite").write_text("old")
    export_into(exported)
    assert files_below(exported.parent) == {"digits/report.json": REPORT, "digits/model.onnx": "new"}


def test_the_users_own_files_move_along(exported):
    (exported / "notes.md").write_text("mine")
    (exported / "model.keras").write_text("mine too")
    export_into(exported)
    assert files_below(exported) == {
        "report.json": REPORT,
        "model.onnx": "new",
        "notes.md": "mine",
        "model.keras": "mine too",
    }


def test_permissions_of_the_folder_stay_and_a_new_one_follows_the_umask(exported):
    exported.chmod(0o750)
    export_into(exported)
    assert exported.stat().st_mode & 0o777 == 0o750
    umask = os.umask(0o027)
    try:
        export_into(exported.parent / "fresh")
    finally:
        os.umask(umask)
    assert (exported.parent / "fresh").stat().st_mode & 0o777 == 0o750


def test_a_link_keeps_pointing_at_the_folder(exported, tmp_path):
    link = tmp_path / "latest"
    link.symlink_to(exported, target_is_directory=True)
    export_into(link)
    assert link.is_symlink()
    assert (exported / "model.onnx").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), UnsupportedError("x")])
def test_any_exception_leaves_the_old_folder_and_no_trace(exported, error):
    before = files_below(exported.parent)
    with pytest.raises(type(error)):
        fail_into(exported, error)
    assert files_below(exported.parent) == before
    assert list(exported.parent.iterdir()) == [exported]


def test_a_body_that_does_not_commit_changes_nothing(exported):
    with staged(exported) as stage:
        (stage.path / "model.onnx").write_text("wrong")
    assert list(exported.parent.iterdir()) == [exported]
    assert (exported / "model.onnx").read_text() == "old"


def test_parents_that_were_made_for_nothing_are_removed(tmp_path):
    (tmp_path / "kept").mkdir()
    with staged(tmp_path / "kept" / "a" / "digits"):
        pass
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


def test_a_failing_swap_puts_the_old_folder_back(exported, monkeypatch):
    rename = Path.rename

    def refuse(self, target):
        if ".kx-new-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match="Input/output error"):
        export_into(exported)
    assert files_below(exported.parent) == {"digits/report.json": REPORT, "digits/model.onnx": "old"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_between_the_two_renames_it_is_too_late_for_a_signal(exported, monkeypatch, number):
    rename = Path.rename

    def interrupted(self, target):
        os.kill(os.getpid(), number)
        return rename(self, target)

    with staged(exported) as stage:
        (stage.path / "model.onnx").write_text("new")
        monkeypatch.setattr(Path, "rename", interrupted)
        stage.commit()
    assert files_below(exported.parent) == {"digits/model.onnx": "new"}


# --- what killed runs leave behind


def test_leftovers_of_killed_runs_are_cleared(exported):
    dead = exported.parent / ".digits.kx-new-00000000"
    dead.mkdir()
    (dead / "model.onnx").write_text("half")
    other = exported.parent / ".digits2.kx-new-00000000"
    other.mkdir()
    export_into(exported)
    assert sorted(p.name for p in exported.parent.iterdir()) == [".digits2.kx-new-00000000", "digits"]


def test_a_folder_moved_aside_by_a_killed_run_comes_back(exported):
    exported.rename(exported.with_name(".digits.kx-old-00000000"))
    with staged(exported):
        pass
    assert (exported / "model.onnx").read_text() == "old"


def test_the_users_files_in_a_folder_moved_aside_come_back(exported):
    aside = exported.with_name(".digits.kx-old-00000000")
    aside.mkdir()
    (aside / "notes.md").write_text("mine")
    (aside / "model.onnx").write_text("older")
    with staged(exported):
        pass
    assert not aside.exists()
    assert files_below(exported) == {"report.json": REPORT, "model.onnx": "old", "notes.md": "mine"}


def test_a_run_under_way_is_left_alone(tmp_path):
    with staged(tmp_path / "digits") as first:
        (first.path / "model.onnx").write_text("first")
        export_into(tmp_path / "digits", "second")
        assert (first.path / "model.onnx").read_text() == "first"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_signals_leave_the_old_folder(exported, number, status):
    program = f"""
import sys, time
from pathlib import Path
from exporter.run.staging import staged
try:
    with staged(Path({str(exported)!r})) as stage:
        (stage.path / "model.onnx").write_text("half")
        print("ready", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(10) == status
    assert (exported / "model.onnx").read_text() == "old"
    left = [p.name for p in exported.parent.iterdir()]
    assert left == ["digits"] if number != signal.SIGKILL else len(left) == 2
    export_into(exported)
    assert [p.name for p in exported.parent.iterdir()] == ["digits"]


def test_the_signal_handler_is_put_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with staged(tmp_path / "digits"):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


# --- outputs that cannot be


def test_a_folder_that_is_not_ours_is_refused_untouched(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("cat")
    for foreign_report in (None, "{}", "not json", '{"generator": "pytest"}', "[]"):
        if foreign_report is not None:
            (tmp_path / "photos" / "report.json").write_text(foreign_report)
        before = files_below(tmp_path)
        with pytest.raises(UsageError, match="nothing was deleted"):
            export_into(tmp_path / "photos")
        assert files_below(tmp_path) == before


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "digits").mkdir()
    export_into(tmp_path / "digits")
    assert (tmp_path / "digits" / "model.onnx").exists()


@pytest.mark.parametrize("output", ["file", "file/digits", "file/a/digits"])
def test_a_file_in_the_way_is_refused(tmp_path, output):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UsageError, match="is a file"):
        export_into(tmp_path / output)
    assert files_below(tmp_path) == {"file": "precious"}


def test_the_current_folder_is_refused(exported, monkeypatch):
    monkeypatch.chdir(exported)
    with pytest.raises(UsageError, match="the current folder"):
        export_into(Path())
    assert (exported / "model.onnx").read_text() == "old"


@pytest.mark.parametrize("made", ["", "digits", "digits/report.json"])
def test_a_missing_permission_is_found_before_the_work(unprivileged, made):
    output = unprivileged / "digits"
    if made:
        output.mkdir()
    if made.endswith("json"):
        (output / "report.json").write_text(REPORT)
        output.chmod(0o555)
    else:
        unprivileged.chmod(0o555)
    with pytest.raises(OutputError, match=r"Permission denied[\s\S]*choose another folder"):
        fail_into(output, AssertionError("the work began"))


# --- a full disk


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("variables.data-00000: write failed; No space left on device"),  # as TensorFlow says it
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_full_disk_is_named_as_such(exported, error, wrapped):
    if wrapped:
        error, cause = UnsupportedError("cannot convert"), error
        error.__cause__ = cause
    with pytest.raises(OutputError, match=r"the disk is full[\s\S]*free some space") as caught:
        fail_into(exported, error)
    assert caught.value.exit_code == 1
    assert list(exported.parent.iterdir()) == [exported]
    assert (exported / "model.onnx").read_text() == "old"


def test_a_really_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        with pytest.raises(OutputError, match="the disk is full"):
            export_into(disk / "digits", "x" * (1 << 20))
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_two_runs_at_once_leave_one_whole_folder(tmp_path):
    output = tmp_path / "digits"
    program = """
import sys
from pathlib import Path
from exporter.errors import OutputError
from exporter.run.staging import staged
for turn in range(100):
    try:
        with staged(Path(sys.argv[1])) as stage:
            (stage.path / "report.json").write_text('{"generator": "keras-exporter", "schema_version": 1}')
            (stage.path / "model.onnx").write_text(sys.argv[2])
            stage.commit()
    except OutputError:
        pass
"""
    runs = [subprocess.Popen([sys.executable, "-c", program, output, name]) for name in ("one", "two")]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert sorted(files_below(tmp_path)) == ["digits/model.onnx", "digits/report.json"]


def test_what_every_format_wrote_goes_when_the_folder_is_replaced(exported):
    """A file of an earlier export beside a new report would look as if it were verified."""
    written = [formats.get(name).filename for name in formats.names()]
    beside = ["model.onnx.data", "model.required_operators.config", "model_data.h"]
    kept = ["model_backup.onnx", "model_old.tflite", "notes.txt"]
    for name in (*written, *beside, *kept):
        if not (exported / name).exists():
            (exported / name).write_text("old")
    with staged(exported) as stage:
        (stage.path / "report.json").write_text(REPORT)
        stage.commit()
    assert sorted(p.name for p in exported.iterdir()) == [*kept, "report.json"]
