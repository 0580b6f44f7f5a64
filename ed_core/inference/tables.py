"""Results as one file: a table (CSV, Parquet) or arrays (npz, HDF5), put together from batches."""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.inference.job import OutputJob, Refusal
from ed_core.inference.stream import Result, Sample
from ed_core.plugins.spec import Field, Fields

NAME = "name"
"""The column of the samples' names."""

_WIDEST = 16_384  # columns, as many as a spreadsheet has
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of the parts of an npz: the same results are the same bytes


@dataclass(frozen=True)
class FileWriter:
    """Writer of results into one file.

    Args:
        outputs: what is written, by name: the field of one sample.
        ending: of the file.
        changed: brings a result to what is written of it, such as a mask of its picture's size.

    Raises:
        EdkitError: a table would be too wide, or what writes Parquet is not installed.
    """

    outputs: Fields
    ending: str
    changed: Callable[[Result], Sample] | None = None

    def __post_init__(self) -> None:
        width = sum(prod(field.shape) for field in self.outputs.values())
        if self.ending in (".csv", ".parquet") and width > _WIDEST:
            raise EdkitError(
                f"a table of {width:,} columns is too wide: give --output an ending of .npz or .h5."
            )
        if self.ending == ".parquet" and not find_spec("pyarrow"):
            raise EdkitError(
                "Parquet needs pyarrow: pip install 'edkit[parquet]', or take .csv, .npz or .h5."
            )
        if NAME in self.outputs:
            raise EdkitError(
                f"the output {NAME!r} of the model is called as the column of the samples' names: "
                "call it otherwise."
            )

    def write(self, job: OutputJob, results: Sequence[Result]) -> tuple[Sample, list[Refusal]]:
        """Return the results as columns (samples, ...), with their names."""
        shape = self._shapes_so_far(job)
        names, rows, refused = [], [], []
        for result in results:
            outputs = self.changed(result) if self.changed else result.outputs
            shapes = {name: np.shape(array) for name, array in outputs.items()}
            shape = shape or shapes
            if shapes != shape:
                refused.append((result.name, _other_size(shapes, shape)))
                continue
            names.append(result.name)
            rows.append(outputs)
        if not rows:
            return {}, refused
        columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        return {NAME: np.array(names, "U"), **columns}, refused

    def finish(self, job: OutputJob) -> None:
        """Put all batches together in one file, which takes its place at once."""
        assemble = {".csv": _csv, ".parquet": _parquet, ".npz": _npz}.get(self.ending, _hdf5)
        with job.whole(job.output) as part:
            assemble(part, _Parts(job, self.outputs))
            job.state(assembled=True)

    def _shapes_so_far(self, job: OutputJob) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the first sample, {} before there is one."""
        if self.changed is None:
            return {}
        for columns in _Parts(job, self.outputs):
            return {name: array.shape[1:] for name, array in columns.items() if name != NAME}
        return {}


@dataclass(frozen=True)
class _Parts:
    """The finished batches of a job; those without a sample are passed over."""

    job: OutputJob
    outputs: Fields

    def __iter__(self) -> Iterator[Sample]:
        for path in self.job.parts():
            with np.load(path, allow_pickle=False) as arrays:
                if NAME in arrays:
                    yield {name: arrays[name] for name in (NAME, *self.outputs)}

    def column(self, name: str) -> Iterator[np.ndarray]:
        for path in self.job.parts():
            with np.load(path, allow_pickle=False) as arrays:
                if name in arrays:
                    yield arrays[name]

    def layout(self, name: str) -> tuple[tuple[int, ...], np.dtype]:
        """Return the shape and the type of a whole column; the widest for texts."""
        count, sample, dtype = 0, (), np.dtype("U1")
        for array in self.column(name):
            count, sample = count + len(array), array.shape[1:]
            dtype = max(dtype, array.dtype, key=lambda one: (one.kind != "U", one.itemsize))
        return (count, *sample), dtype


def flat_columns(columns: Sample, outputs: Fields) -> dict[str, np.ndarray]:
    """Return columns of one number a sample: `code_1`, `code_2`, ..., or by class or column.

    Args:
        columns: name to (samples, ...).
        outputs: what they are.
    """
    table: dict[str, np.ndarray] = {}
    for name, array in columns.items():
        if array.ndim == 1:
            table[name] = array
            continue
        flat = array.reshape(len(array), -1)
        table |= dict(zip(column_names(name, outputs[name]), flat.T, strict=True))
    return table


def column_names(name: str, field: Field) -> list[str]:
    """Return the names of the columns of an output with several numbers a sample."""
    size = prod(field.shape)
    if len(field.classes) == size:
        base = name.removesuffix("_probabilities")
        return [f"{base}_{one}" for one in field.classes]
    if len(field.names) == size:
        return [f"{name}_{one}" for one in field.names]
    return [f"{name}_{number}" for number in range(1, size + 1)]


def _csv(path: Path, parts: _Parts) -> None:
    import pandas as pd

    # Names of files that are no UTF-8 are written as they are.
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        for number, columns in enumerate(parts):
            table = pd.DataFrame(flat_columns(columns, parts.outputs))
            table.to_csv(file, index=False, header=number == 0, lineterminator="\n")


def _parquet(path: Path, parts: _Parts) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    writer = None
    try:
        for columns in parts:
            flat = flat_columns(columns, parts.outputs)
            table = pa.table({name: pa.array(array) for name, array in flat.items()})
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
    finally:
        if writer:
            writer.close()


def _npz(path: Path, parts: _Parts) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name in (NAME, *parts.outputs):
            shape, dtype = parts.layout(name)
            entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            with archive.open(entry, "w", force_zip64=True) as file:
                facts: Any = {"descr": dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, facts)
                for array in parts.column(name):
                    file.write(np.ascontiguousarray(array, dtype).tobytes())


def _hdf5(path: Path, parts: _Parts) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        for name in (NAME, *parts.outputs):
            shape, dtype = parts.layout(name)
            text = dtype.kind == "U"
            dataset = file.create_dataset(name, shape, h5py.string_dtype() if text else dtype)
            field = parts.outputs.get(name)
            if field is not None and field.unit:
                dataset.attrs["unit"] = field.unit
            first = 0
            for array in parts.column(name):
                dataset[first : first + len(array)] = array.astype(object) if text else array
                first += len(array)


def _other_size(shapes: dict[str, Any], expected: dict[str, Any]) -> str:
    name = next(name for name in shapes if shapes[name] != expected.get(name))
    return (
        f"its {name!r} is {shapes[name]}, and that of the first one {expected.get(name)}: pictures "
        "of several sizes go into a folder."
    )
