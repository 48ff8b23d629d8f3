"""External data of an ONNX file: in plain files of its folder, or not at all."""

from __future__ import annotations

import os

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from exporter.errors import LoadError, UnsafeFileError
from exporter.loading.onnx_file import check_onnx_file

VALUES = np.arange(6, dtype="f4").reshape(2, 3)
BYTES = VALUES.tobytes()


def external(name="w", dtype=TensorProto.FLOAT, dims=(2, 3), **entries):
    """A tensor whose bytes lie elsewhere."""
    tensor = TensorProto(name=name, data_type=dtype, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in {"location": "model.onnx.data", "length": "24", **entries}.items():
        if value is not None:
            tensor.external_data.add(key=key, value=value)
    return tensor


def write(folder, tensor, data: bytes | None = BYTES):
    node = helper.make_node("Add", ["x", tensor.name], ["y"])
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in "xy"]
    graph = helper.make_graph([node], "g", shapes[:1], shapes[1:], [tensor])
    path = folder / "model.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    if data is not None:
        (folder / "model.onnx.data").write_bytes(data)
    return path


def fails(path, error=UnsafeFileError):
    with pytest.raises(error) as caught:
        check_onnx_file(path)
    return str(caught.value)


def test_data_inside(tmp_path):
    check_onnx_file(write(tmp_path, onnx.numpy_helper.from_array(VALUES, "w"), None))


def test_data_beside(tmp_path):
    path = write(tmp_path, external())
    check_onnx_file(path)
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(onnx.load(path).graph.initializer[0]), VALUES)


def test_data_in_a_subfolder_and_with_an_offset(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "w.bin").write_bytes(b"head" + VALUES.tobytes())
    check_onnx_file(write(tmp_path, external(location="data/w.bin", offset="4"), None))


def test_four_bit_data(tmp_path):
    check_onnx_file(write(tmp_path, external(dtype=TensorProto.INT4, dims=(5,), length="3"), b"123"))


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", "", "C:/x", "~/x"])
def test_cve_2025_51480_data_outside_of_the_folder(tmp_path, location):
    (folder := tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(VALUES.tobytes())
    message = fails(write(folder, external(location=location)))
    assert "CVE-2025-51480" in message
    assert "w" in message
    assert (tmp_path / "secret").read_bytes() == VALUES.tobytes()


def test_cve_2026_27489_symbolic_link(tmp_path):
    (folder := tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(VALUES.tobytes())
    path = write(folder, external(), None)
    (folder / "model.onnx.data").symlink_to(tmp_path / "secret")
    assert "CVE-2026-27489" in fails(path)


def test_cve_2026_27489_linked_folder(tmp_path):
    (folder := tmp_path / "model").mkdir()
    (tmp_path / "w.bin").write_bytes(VALUES.tobytes())
    (folder / "data").symlink_to(tmp_path)
    assert "CVE-2026-27489" in fails(write(folder, external(location="data/w.bin"), None))


def test_cve_2026_34446_hard_link(tmp_path):
    (folder := tmp_path / "model").mkdir()
    (tmp_path / "secret").write_bytes(VALUES.tobytes())
    path = write(folder, external(), None)
    os.link(tmp_path / "secret", folder / "model.onnx.data")
    assert "CVE-2026-34446" in fails(path)


def test_device(tmp_path):
    path = write(tmp_path, external(), None)
    os.mkfifo(tmp_path / "model.onnx.data")
    assert "no plain file" in fails(path)


def test_missing_data_file(tmp_path):
    message = fails(write(tmp_path, external(), None), LoadError)
    assert "model.onnx.data" in message


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ({"offset": "1"}, "behind the end"),
        ({"offset": "-4"}, "offset and length"),
        ({"length": "abc"}, "offset and length"),
        ({"length": "²"}, "offset and length"),
        ({"length": "9" * 30}, "offset and length"),
        ({"length": "20"}, "needs 24"),
        ({"length": None, "offset": "8"}, "behind the end"),
        ({"__class__": "x"}, "keys"),
        ({"location": None}, "keys"),
    ],
)
def test_ranges_and_keys(tmp_path, entries, word):
    assert word in fails(write(tmp_path, external(**entries)))


def test_tensor_of_petabytes(tmp_path):
    assert "needs" in fails(write(tmp_path, external(dims=(1 << 40, 1 << 10))))


def test_tensors_in_branches_functions_and_attributes(tmp_path):
    """Wherever a tensor may stand."""
    constant = helper.make_node("Constant", [], ["c"], value=external("inner", location="../x"))
    branch = helper.make_graph([constant], "b", [], [helper.make_tensor_value_info("c", TensorProto.FLOAT, None)])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    model = helper.make_model(helper.make_graph([node], "g", [], [], []))
    function = helper.make_function("d", "f", [], ["c"], [constant], [helper.make_opsetid("", 20)])
    model.functions.append(function)
    model.graph.sparse_initializer.add().values.CopyFrom(external("sparse", location="../y"))
    (path := tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    message = fails(path)
    assert message.count("inner") == 3
    assert "sparse" in message


@pytest.mark.parametrize("content", [b"hello world", b"\x80\x04K\x01."])
def test_no_onnx_file(tmp_path, content):
    (path := tmp_path / "m.onnx").write_bytes(content)
    fails(path, LoadError)


def test_link_to_a_model(tmp_path):
    path = write(tmp_path, external())
    (tmp_path / "link.onnx").symlink_to(path)
    fails(tmp_path / "link.onnx", LoadError)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200)
@given(data=st.data())
def test_mutated_files(tmp_path, data):
    raw = bytearray(write(tmp_path, external()).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    (path := tmp_path / "mutated.onnx").write_bytes(raw)
    try:
        check_onnx_file(path)
    except LoadError as error:
        assert str(error).replace("\n", "").isprintable()  # noqa: PT017
