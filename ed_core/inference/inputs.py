"""Inputs of a verb: a user's files by the reader that suits, codes that were kept, new codes."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.data.loading import suited
from ed_core.data.preparation import class_order
from ed_core.errors import EdkitError
from ed_core.inference.job import digest
from ed_core.inference.tables import NAME, column_names
from ed_core.plugins.decorators import DATASETS
from ed_core.plugins.findings import Finding
from ed_core.plugins.spec import Fields, FileReader, FileSamples, Place
from ed_core.runs.outputs import Inference
from ed_core.runs.prior import Generator
from ed_core.runs.run import Run
from ed_core.runs.tiled import Tile, extent_of, is_mask, is_tileable, tiled

CODES = (".csv", ".parquet", ".npz", ".npy", ".h5", ".hdf5")
"""The endings of files of codes."""


def open_files(run: Run, path: Path, fields: Fields) -> FileSamples:
    """Open a user's file or folder for a run.

    The reader is that of the run's own data set where it reads files of this ending (of a folder,
    of the ending of most of its files that any reader takes), else the first that does.

    Args:
        run: the run.
        path: a file, or a folder.
        fields: what is needed, as the model calls it.

    Raises:
        EdkitError: there is nothing there, nothing reads it, or it lacks a field.
    """
    reader, reading, ending = reader_for(run, path)
    own = (run.info.get("field_names") or {}) if reader is run.reader else {}
    wanted = Fields({own.get(field, field): facts for field, facts in fields.items()})
    samples = reader.open(path, wanted, reading)
    missing = [field for field in wanted if field not in samples.fields]
    if missing:
        raise EdkitError(
            f"{str(path)!r} lacks {' and '.join(map(repr, missing))}, which the run takes: its "
            f"{ending} give {', '.join(samples.fields) or 'nothing'}."
        )
    if not len(samples.names):
        raise EdkitError(f"{str(path)!r} holds no sample.")
    orders = {
        field: order
        for field, facts in wanted.items()
        if facts.kind == "class"
        and (order := class_order(field, samples.fields[field], facts)) is not None
    }
    return _Renumbered(samples, orders) if orders else samples


def reader_for(run: Run, path: Path) -> tuple[FileReader, Mapping[str, Any], str]:
    """Return the reader that opens an input for a run, how it reads it, and the input's ending.

    What it reads is {} where the run was trained on files of another kind.

    Raises:
        EdkitError: there is nothing there, or nothing reads it.
    """
    readers = {name: spec.files for name, spec in DATASETS.items() if spec.files}
    ending, names = suited(path, readers)
    own = [name for name in names if readers[name] is run.reader]
    reader = readers[(own or names)[0]]
    return reader, (run.input.reading or {}) if reader is run.reader else {}, ending


def open_pictures(
    run: Run, path: Path, inference: Inference, tile: Tile, overlap: int | None
) -> tuple[Inference, FileSamples]:
    """Open pictures for a run, at their own size where they are taken in tiles.

    With `auto` they are where the run was trained on tiles; and masks are made of pictures that are
    larger than the run's at the pixels of these, unless the run's own were brought to a size.

    Args:
        run: the run.
        path: a file, or a folder.
        inference: what is made of them.
        tile: the side of a tile, `auto` or `none`.
        overlap: of tiles.

    Raises:
        EdkitError: as `open_files`, or tiles cannot be made of the input.
    """
    reader, reading, _ = reader_for(run, path)
    is_trained = bool(reading.get("tile"))
    is_wanted = isinstance(tile, int) or overlap is not None or (is_trained and tile == "none")
    possible = reader.any_size and is_tileable(inference)
    may_be = tile == "auto" and (is_trained or (is_mask(inference) and not reading.get("size")))
    if not is_wanted and not (possible and may_be):
        return inference, open_files(run, path, inference.inputs)
    if not reader.any_size:
        raise EdkitError(f"{str(path)!r}: tiles are of image files: leave --tile out.")
    whole = tiled(inference, tile, overlap)
    own = extent_of(inference.inputs)
    free = Fields(
        {
            name: replace(one, shape=(0, 0, *one.shape[2:])) if one.shape[:2] == own else one
            for name, one in inference.inputs.items()
        }
    )
    samples = open_files(run, path, free)
    if not is_wanted and not is_trained and not _any_larger(samples, own):
        return inference, open_files(run, path, inference.inputs)
    return whole, samples


def _any_larger(samples: FileSamples, own: tuple[int, int] | None) -> bool:
    """Return whether a picture is higher or wider than those of a run."""
    height, width = own or (0, 0)
    for row in range(len(samples.names)):
        with contextlib.suppress(EdkitError):  # it is refused when it is read
            place = samples.place(row)
            if place is not None and (place.size[0] > height or place.size[1] > width):
                return True
    return False


def input_digest(samples: FileSamples, path: Path | None) -> str:
    """Return a sum that tells one input from another: its names, and of a file its state."""
    facts = []
    if path is not None and path.is_file():
        state = path.stat()
        facts = [str(state.st_size), str(state.st_mtime_ns)]
    return digest([*facts, *samples.names])


@dataclass(frozen=True)
class _Renumbered:
    """Samples whose classes have the numbers of the run.

    Args:
        samples: of the files.
        orders: field to the run's number of each of its classes.
    """

    samples: FileSamples
    orders: Mapping[str, np.ndarray]

    @property
    def names(self) -> Sequence[str]:
        return self.samples.names

    @property
    def fields(self) -> Fields:
        return self.samples.fields

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.samples.findings

    def read(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        return [
            sample if isinstance(sample, EdkitError) else self._renumbered(sample)
            for sample in self.samples.read(rows)
        ]

    def place(self, row: int) -> Place | None:
        return self.samples.place(row)

    def _renumbered(self, sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        changed = dict(sample)
        for name, order in self.orders.items():
            number = np.asarray(sample[name], "int32")
            changed[name] = np.where(number < 0, -1, order[np.maximum(number, 0)])
        return changed


@dataclass(frozen=True)
class NewCodes:
    """Codes of new samples, drawn when they are needed.

    Args:
        generator: of them.
    """

    generator: Generator
    findings: tuple[Finding, ...] = ()

    @cached_property
    def names(self) -> Sequence[str]:
        """Numbers, and of a conditional run the class."""
        drawing = self.generator.drawing
        names = [drawing.name(row) for row in range(len(drawing))]
        if not self.generator.label:
            return names
        classes = [self.generator.class_name(row) for row in range(len(drawing))]
        plain = str.maketrans("/\\.", "---")
        return [f"{name} {one.translate(plain)}" for name, one in zip(names, classes, strict=True)]

    @property
    def fields(self) -> Fields:
        """What the decoder takes."""
        return self.generator.inference.inputs

    def read(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        """Return the codes of some samples, and their classes."""
        return [self.generator.inputs(row) for row in rows]

    def place(self, row: int) -> None:
        """Return None: a new sample is of no picture."""
        return


@dataclass(frozen=True)
class Codes:
    """Codes as `edkit encode` wrote them, and what else the decoder takes.

    Args:
        names: of the samples.
        fields: what the decoder takes.
        columns: name to (samples, ...), anything that slices.
        findings: none.
    """

    names: Sequence[str]
    fields: Fields
    columns: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()

    def read(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        """Return the codes of some samples in the shape that the decoder takes."""
        some = {name: self._some(name, rows) for name in self.fields}
        return [{name: array[place] for name, array in some.items()} for place in range(len(rows))]

    def place(self, row: int) -> None:
        """Return None: a code is of no picture."""
        return

    def _some(self, name: str, rows: range) -> np.ndarray:
        array = np.asarray(self.columns[name][rows.start : rows.stop])
        if name != "code":
            return array.astype("U") if array.dtype.kind in "OST" else array
        return array.astype("float32").reshape(len(rows), *self.fields[name].shape)


def open_codes(path: Path, inference: Inference) -> Codes:
    """Open a file of codes, as `edkit encode` writes it, or an array (samples, ...) as .npy.

    Args:
        path: of the file.
        inference: that decodes them.

    Raises:
        EdkitError: it is no such file, or its codes are of another size.
    """
    if not path.is_file() or path.suffix.lower() not in CODES:
        what = "does not exist" if not path.exists() else "is no file of codes"
        raise EdkitError(
            f"{str(path)!r} {what}: expected what edkit encode writes, a file that ends in "
            f"{', '.join(CODES)}."
        )
    fields = inference.inputs
    read = _read_table if path.suffix.lower() in (".csv", ".parquet") else _read_arrays
    try:
        columns = read(path, fields)
    except EdkitError:
        raise
    except Exception as error:  # pandas, zipfile and h5py each have errors of their own
        reason = " ".join(str(error).split())[:200]
        raise EdkitError(f"{str(path)!r} cannot be read as codes: {reason}.") from error
    missing = [name for name in fields if name not in columns]
    if missing:
        raise EdkitError(
            f"{str(path)!r} lacks {missing[0]!r}: expected what edkit encode writes; it has "
            f"{', '.join(columns) or 'nothing'}."
        )
    size = int(np.prod(fields["code"].shape))
    width = int(np.prod(columns["code"].shape[1:]))
    if width != size:
        raise EdkitError(
            f"{str(path)!r} holds codes of {width} numbers, and the decoder takes {size}: decode "
            "them by the run that encoded them."
        )
    count = len(columns["code"])
    if not count:
        raise EdkitError(f"{str(path)!r} holds no code.")
    names = columns.get(NAME)
    texts = [str(row + 1) for row in range(count)] if names is None else _texts(names)
    return Codes(texts, fields, columns)


def _texts(names: Any) -> list[str]:
    return [one.decode() if isinstance(one, bytes) else str(one) for one in names[:]]


def _read_table(path: Path, fields: Fields) -> dict[str, Any]:
    """Return the columns of a table, those of the code as one array."""
    import pandas as pd

    reader = pd.read_csv if path.suffix.lower() == ".csv" else pd.read_parquet
    texts = {"dtype": {NAME: str}} if reader is pd.read_csv else {}
    table: Any = reader(path, **texts)
    parts = column_names("code", fields["code"])
    parts = parts if len(parts) > 1 or "code" not in table else ["code"]
    if missing := [name for name in parts if name not in table]:
        there = [name for name in table if str(name).startswith("code")]
        raise EdkitError(
            f"{str(path)!r} lacks the column {missing[0]!r}: expected {parts[0]} to {parts[-1]}, "
            f"received {len(there)} columns of codes."
        )
    rest = {str(name): table[name].to_numpy() for name in table if name not in parts}
    return {**rest, "code": table[parts].to_numpy("float32")}


def _read_arrays(path: Path, fields: Fields) -> dict[str, Any]:
    ending = path.suffix.lower()
    if ending == ".npy":
        return {"code": np.load(path, mmap_mode="r", allow_pickle=False)}
    if ending == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in (NAME, *fields) if name in arrays}
    import h5py

    file = h5py.File(path, "r")
    return {name: _as_text(file[name]) for name in (NAME, *fields) if name in file}


def _as_text(dataset: Any) -> Any:
    """Return a dataset of h5py, its texts as str."""
    return dataset.asstr()[:] if dataset.dtype.kind == "O" else dataset
