"""The container as data."""

from __future__ import annotations

import zipfile

import pytest

from exporter.loading import archive as container
from exporter.loading import limits
from tests.loading import forge


def judge(path):
    with zipfile.ZipFile(path) as archive:
        return container.audit_archive(archive, path.stat().st_size)


def write(tmp_path, **parts):
    honest = {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b"x"}
    return forge.write(tmp_path / "m.keras", honest | {k.replace("__", "/"): v for k, v in parts.items()})


def test_what_keras_writes_passes(tmp_path):
    assert judge(forge.honest(tmp_path)) == []


def test_recompressed_archive_passes(tmp_path):
    parts = forge.members(forge.honest(tmp_path))
    assert judge(forge.write(tmp_path / "z.keras", parts, zipfile.ZIP_DEFLATED)) == []


def test_assets_pass(tmp_path):
    assert judge(write(tmp_path, **{"assets/layers/lookup/vocabulary.txt": b"a\nb"})) == []


@pytest.mark.parametrize("name", ["code.py", "assets.py", "model.weights.npz", "Config.json", "__pycache__/x.pyc"])
def test_other_members_are_named(tmp_path, name):
    (finding,) = judge(write(tmp_path, **{name.replace("__", "/"): b"x"}))
    assert finding.where == name.replace("__", "/")


@pytest.mark.parametrize("missing", ["config.json", "model.weights.h5"])
def test_missing_member(tmp_path, missing):
    parts = {"config.json": b"{}", "model.weights.h5": b"x"}
    del parts[missing]
    (finding,) = judge(forge.write(tmp_path / "m.keras", parts))
    assert missing in finding.what
    assert not finding.unsafe


def test_unknown_compression(tmp_path):
    path = forge.write(tmp_path / "m.keras", {"config.json": b"{}", "model.weights.h5": b"x"}, zipfile.ZIP_LZMA)
    assert all("compression method" in finding.what for finding in judge(path))


def test_encrypted_member(tmp_path):
    path = write(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert any("encrypted" in finding.what for finding in judge(path))


def test_number_of_members(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ARCHIVE_MEMBERS", 2)
    (finding,) = judge(write(tmp_path))
    assert "3 members" in finding.what


@pytest.mark.parametrize(
    ("name", "leads_out"),
    [
        ("dense_1", False),
        ("block1/conv", False),
        ("a..b", False),
        ("…", False),
        ("模型", False),
        ("..", True),
        ("../x", True),
        ("x/..", True),
        ("/x", True),
        ("\\x", True),
        ("x\\y", True),
        ("~/x", True),
        ("c:/x", True),
        ("x\n", True),
        ("\0", True),
    ],
)
def test_traversal(name, leads_out):
    assert container.is_traversal(name) is leads_out


def test_data_offset_is_where_the_bytes_are(tmp_path):
    path = forge.honest(tmp_path)
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("model.weights.h5")
        start = container.data_offset(archive, member)
        assert path.read_bytes()[start : start + member.file_size] == archive.read(member)


def test_damaged_member(tmp_path):
    path = forge.honest(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"\x89HDF") + 100] ^= 1
    path.write_bytes(raw)
    with zipfile.ZipFile(path) as archive:
        (finding,) = container.check_content(archive)
    assert finding.where == "model.weights.h5"
    assert "CRC" in finding.what


def test_folder_with_links(tmp_path):
    for name, content in forge.members(forge.honest(tmp_path)).items():
        (folder := tmp_path / "folder").mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    assert container.audit_folder(folder) == []
    (folder / "assets").symlink_to("/etc")
    (finding,) = container.audit_folder(folder)
    assert finding.where == "assets"


@pytest.mark.parametrize(
    ("text", "what"),
    [(b"{", "damaged"), (b"\xff\xfe\x00", "damaged"), (b"[" * 100_000, "deep"), (b"1" * 10_000, "damaged")],
)
def test_text_that_is_no_json(text, what):
    document, (finding,) = container.parse_json(text, "config.json")
    assert document is None
    assert what in finding.what
