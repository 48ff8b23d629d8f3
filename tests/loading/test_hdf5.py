"""HDF5 as data: what a model file may hold, and that the HDF5 library may fail without harm."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from exporter.loading import limits
from exporter.loading.hdf5 import audit_hdf5
from exporter.loading.hdf5_process import Window, examine
from exporter.loading.hdf5_rules import Hdf5Rules, read_once


@pytest.fixture
def file():
    with h5py.File(io.BytesIO(), "w") as opened:
        yield opened


def judge(file, size=1 << 30):
    file.flush()
    rules = Hdf5Rules(size, "w")
    return list(rules.findings(file)), rules


def only(file, size=1 << 30):
    ((finding,), _) = judge(file, size)
    return finding


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i4", "i8", "u8", "?", "V2", "c8", "c16"], ids=str)
def test_element_types_of_weights(file, dtype):
    file["layers/vars/0"] = np.zeros((2, 3), dtype)
    findings, rules = judge(file)
    assert findings == []
    assert (rules.arrays, rules.array_bytes) == (1, 6 * np.dtype(dtype).itemsize)


@pytest.mark.parametrize(
    "kind", [h5py.string_dtype(), h5py.vlen_dtype(np.int32), h5py.ref_dtype, np.dtype("V100"), np.dtype("S5")], ids=str
)
def test_other_element_types(file, kind):
    file.create_dataset("x", (2,), kind)
    assert "element type" in only(file).what


def test_empty_arrays_and_scalars(file):
    file["scalar"] = np.float32(1)
    file["empty"] = np.zeros((0, 5), "f4")
    file["null"] = h5py.Empty("f4")
    assert judge(file)[0] == []


def test_attributes_of_keras(file):
    file.attrs["model_config"] = "{}"
    file.attrs["layer_names"] = np.array([b"a", b"bc"])
    file.attrs["dtype"] = "bfloat16"
    file.attrs["empty"] = np.array([], "S1")
    assert judge(file)[0] == []


def test_attribute_that_points_elsewhere(file):
    file.attrs.create("points", file.ref, dtype=h5py.ref_dtype)
    assert "points" in only(file).what


def test_attribute_too_large(file, monkeypatch):
    monkeypatch.setattr(limits, "HDF5_ATTRIBUTE_BYTES", 1000)
    file.attrs["long"] = np.zeros(1001, "i1")
    assert only(file).cve == "CVE-2026-0897"


def test_gzip_shuffle_and_checksums_are_read(file):
    file.create_dataset("x", data=np.arange(1000), compression="gzip", shuffle=True, fletcher32=True)
    assert judge(file)[0] == []
    read_once(file)


def test_filter_that_is_a_plug_in(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((10,))
    properties.set_filter(307, h5py.h5z.FLAG_OPTIONAL)  # bzip2, of which HDF5 brings no code
    space = h5py.h5s.create_simple((100,))
    h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, properties)
    assert "307" in only(file).what


def test_two_names_for_one_object(file):
    file["a/x"] = np.zeros(3)
    file["b"] = file["a"]
    assert "second name" in only(file).what


def test_group_inside_itself(file):
    group = file.create_group("a")
    group["b"] = group
    assert "second name" in only(file).what


def test_named_type(file):
    file["t"] = np.dtype("f4")
    assert "neither a group nor a dataset" in only(file).what


def test_storage_beyond_the_file(file):
    file["a"] = np.zeros(1000)
    assert "overlap" in only(file, size=100).what


def test_chunk_too_large(file):
    file.create_dataset("x", (1 << 28,), "f4", chunks=(1 << 28,), compression="gzip")
    findings, _ = judge(file)
    assert all(finding.cve == "CVE-2026-0897" for finding in findings)
    assert any("chunks" in finding.what for finding in findings)


def test_number_of_objects(file, monkeypatch):
    monkeypatch.setattr(limits, "HDF5_OBJECTS", 5)
    for index in range(10):
        file.create_group(str(index))
    assert "more than 5" in only(file).what


def test_rank(file):
    file.create_dataset("x", (1,) * 17, "f4")
    assert "17 dimensions" in only(file).what


def test_window_is_a_file_within_a_file():
    raw = bytes(range(256))
    window = Window(io.BytesIO(raw), 10, 100)
    assert window.read() == raw[10:110]
    assert window.read(1) == b""
    assert window.seek(-5, io.SEEK_END) == 95
    assert window.read(50) == raw[105:110]
    assert window.seek(500) == 500
    assert window.read(1) == b""
    window.seek(3)
    window.seek(4, io.SEEK_CUR)
    assert window.read(2) == raw[17:19]


def weights() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = np.ones((3, 4), "f4")
        file["layers/dense/vars"].attrs["name"] = "dense"
    return stream.getvalue()


def test_examine_a_file_at_an_offset():
    raw = weights()
    answer = examine(io.BytesIO(b"head" + raw + b"tail"), 4, len(raw), "w")
    assert answer == {"findings": [], "arrays": 1, "array_bytes": 48, "configs": {}, "version": None}


def test_examine_garbage():
    (finding,) = examine(io.BytesIO(b"\x89HDF\r\n\x1a\n" + bytes(2000)), 0, 2008, "w")["findings"]
    assert "damaged" in finding["what"]
    assert finding["unsafe"] is False


def test_process_answers_for_an_open_file(tmp_path):
    (path := tmp_path / "w.h5").write_bytes(b"head" + weights())
    with path.open("rb") as stream:
        audit = audit_hdf5(stream, 4, path.stat().st_size - 4, "w")
    assert audit.findings == []
    assert (audit.arrays, audit.array_bytes) == (1, 48)


def test_configs_of_a_legacy_file(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = '{"class_name": "é"}'
        file.attrs["training_config"] = 3
    with (tmp_path / "m.h5").open("rb") as stream:
        audit = audit_hdf5(stream, 0, (tmp_path / "m.h5").stat().st_size, "m.h5")
    assert audit.configs == {"model_config": '{"class_name": "é"}', "training_config": None}


def looping_file() -> bytes:
    """A text in the global heap, followed by an object of size zero, over which the HDF5 library never gets."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("g").attrs["name"] = "dense"
    raw = bytearray(stream.getvalue())
    at = raw.index(b"GCOL") + 16  # the heap's header; then objects: index, references, reserved, size, bytes
    index, _, _, size = struct.unpack_from("<HHIQ", raw, at)
    assert (index, size) == (1, len("dense"))
    struct.pack_into("<HHIQ", raw, at + 16 + 8, 2, 1, 0, 0)
    return bytes(raw)


def test_library_that_never_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "HDF5_SECONDS", 2)
    raw = looping_file()
    (tmp_path / "w.h5").write_bytes(raw)
    start = time.monotonic()
    with (tmp_path / "w.h5").open("rb") as stream:
        (finding,) = audit_hdf5(stream, 0, len(raw), "w").findings
    assert "cannot cope" in finding.what
    assert finding.unsafe
    assert time.monotonic() - start < 2 * limits.WALL_OVER_CPU + 10  # to start and end the process, on a busy machine


def test_process_may_write_no_file(tmp_path):
    """Reading a file needs no right to write one."""
    code = (
        "from exporter.loading.hdf5_process import limit_resources; limit_resources(20); "
        f"open({str(tmp_path / 'written')!r}, 'wb', buffering=0).write(b'x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode != 0
    assert (tmp_path / "written").stat().st_size == 0
