"""What an HDF5 file of a model may hold: the weights inside a `.keras` archive, or a whole legacy `.h5` model.

HDF5 is more than arrays: links into other files, datasets whose bytes lie in another file, virtual datasets
stitched together from others, compression plug-ins, and shapes that declare petabytes in a hundred bytes.
A model needs none of that. Links are never followed.

These rules run in a process of their own (`hdf5_process.py`): the HDF5 library can hang on damaged files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import h5py
from h5py import h5t, h5z

from exporter.loading import limits
from exporter.loading.finding import Finding

_RESAVE = "save the weights again with Keras: it writes plain datasets"
_EXTERNAL = "CVE-2026-1669"
_BOMB = "CVE-2026-0897"

# Any other filter is a plug-in: a shared library that HDF5 loads from the disk.
_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF}
# Element classes and their largest size in bytes: numbers, booleans, bfloat16 (opaque), complex numbers (compound).
_DATA_TYPES = {h5t.INTEGER: 8, h5t.FLOAT: 8, h5t.ENUM: 8, h5t.OPAQUE: 2, h5t.COMPOUND: 16}
_ATTRIBUTE_TYPES = {h5t.INTEGER: 8, h5t.FLOAT: 8, h5t.ENUM: 8, h5t.STRING: limits.HDF5_ATTRIBUTE_BYTES}


@dataclass
class Hdf5Rules:
    """One walk over an open file.

    Args:
        file_bytes: size of the file, in bytes.
        where: how messages call the file.
    """

    file_bytes: int
    where: str
    arrays: int = 0
    array_bytes: int = 0
    _stored: int = 0
    _seen: set[Any] = field(default_factory=set)

    def findings(self, file: Any) -> Iterator[Finding]:
        """Every reason to refuse an `h5py.File` opened for reading; `arrays` and `array_bytes` are known afterwards."""
        pending = [(file, self.where)]
        while pending:
            group, place = pending.pop()
            yield from _judge_attributes(group, place)
            for name in group:
                here = f"{place}/{name}"
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    yield Finding(f"the entry is a {type(link).__name__}", here, _RESAVE, _EXTERNAL)
                elif self._is_new(item := group[name]):
                    yield from self._judge(item, here, pending)
                else:
                    yield Finding("a second name for an object listed before", here, _RESAVE)
                if len(self._seen) > limits.HDF5_OBJECTS:
                    yield Finding(f"more than {limits.HDF5_OBJECTS} groups and datasets", self.where)
                    return
        if self._stored > self.file_bytes:
            yield Finding("datasets overlap: together they are longer than the file", self.where, cve=_BOMB)

    def _is_new(self, item: Any) -> bool:
        address = h5py.h5o.get_info(item.id).addr
        known = address in self._seen
        self._seen.add(address)
        return not known

    def _judge(self, item: Any, where: str, pending: list[tuple[Any, str]]) -> Iterator[Finding]:
        if isinstance(item, h5py.Group):
            pending.append((item, where))
        elif isinstance(item, h5py.Dataset):
            yield from _judge_attributes(item, where)
            yield from self._judge_dataset(item, where)
        else:
            yield Finding(f"neither a group nor a dataset: {type(item).__name__}", where, _RESAVE)

    def _judge_dataset(self, dataset: Any, where: str) -> Iterator[Finding]:
        layout = dataset.id.get_create_plist()
        if layout.get_external_count():
            yield Finding("the bytes of the dataset lie in another file", where, _RESAVE, _EXTERNAL)
            return
        if dataset.is_virtual:
            yield Finding("a virtual dataset, stitched together from others", where, _RESAVE, _EXTERNAL)
            return
        for code in (layout.get_filter(index)[0] for index in range(layout.get_nfilters())):
            if code not in _FILTERS:
                yield Finding(f"compression filter {code} is not one of gzip, shuffle, fletcher32, lzf", where)
        if not _allows(_DATA_TYPES, dataset.id.get_type()):
            yield Finding("the element type is not one that Keras stores", where, _RESAVE)
        if dataset.shape is not None:  # else a null dataspace, which holds nothing
            yield from self._judge_shape(dataset, where)

    def _judge_shape(self, dataset: Any, where: str) -> Iterator[Finding]:
        itemsize = dataset.id.get_type().get_size()
        declared, stored = math.prod(dataset.shape) * itemsize, dataset.id.get_storage_size()
        self.arrays += 1
        self.array_bytes += declared
        self._stored += stored
        if len(dataset.shape) > limits.HDF5_RANK:
            yield Finding(f"{len(dataset.shape)} dimensions, allowed are {limits.HDF5_RANK}", where)
        if declared > max(limits.EXPANSION_FLOOR, limits.EXPANSION * min(stored, self.file_bytes)):
            what = f"shape {dataset.shape} declares {declared} bytes, {stored} are stored (a shape bomb)"
            yield Finding(what, where, _RESAVE, _BOMB)
        if dataset.chunks and math.prod(dataset.chunks) * itemsize > limits.HDF5_CHUNK_BYTES:
            yield Finding(f"chunks of shape {dataset.chunks} are too large", where, _RESAVE, _BOMB)


def _judge_attributes(item: Any, where: str) -> Iterator[Finding]:
    for name in item.attrs:
        attribute = item.attrs.get_id(name)
        size = math.prod(attribute.shape) * attribute.get_type().get_size()
        if size > limits.HDF5_ATTRIBUTE_BYTES:
            what = f"attribute {name!r} has {size} bytes, allowed are {limits.HDF5_ATTRIBUTE_BYTES}"
            yield Finding(what, where, _RESAVE, _BOMB)
        if not _allows(_ATTRIBUTE_TYPES, attribute.get_type()):
            yield Finding(f"attribute {name!r} is neither a number nor a text", where, _RESAVE)


def _allows(table: dict[int, int], kind: Any) -> bool:
    return bool(kind.get_size() <= table.get(kind.get_class(), -1))


def read_once(file: Any) -> None:
    """Read whatever needs interpretation by the library: all attributes, and compressed data chunk by chunk.

    Plain arrays are left out: their bytes are copied as they are.
    """

    def read(_: str, item: Any) -> None:
        dict(item.attrs)
        if isinstance(item, h5py.Dataset) and item.chunks:
            for chunk in item.iter_chunks():
                item[chunk]

    dict(file.attrs)
    file.visititems(read)
