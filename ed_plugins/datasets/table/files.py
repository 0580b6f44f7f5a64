"""Columns of a table: CSV and other text, Parquet, or the arrays of an npz file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from ed_core import EdkitError
from ed_core.data.memory import check_memory
from ed_plugins.datasets.table.csv_layout import Note, TextOptions
from ed_plugins.datasets.table.csv_tables import TextTable, read_text

if TYPE_CHECKING:
    import pandas


def read_columns(path: Path, options: TextOptions) -> TextTable:
    """Return a table from text, Parquet or npz, without empty rows at its end."""
    ending = path.suffix.lower()
    if ending in (".parquet", ".npz"):
        table = _read_parquet(path) if ending == ".parquet" else _read_npz(path)
    else:
        table = read_text(path, options)
    rows = len(table.columns[0]) if table.columns else 0
    full = np.zeros(rows, bool)
    for column in table.columns:
        full |= column.notna().to_numpy()
        if rows and full[-1]:
            return table
    last = int(np.flatnonzero(full)[-1]) + 1 if full.any() else 0
    if len(table.columns) > 1:
        table.notes.append(("rows", "empty, at the end", "", rows - last, True))
    return replace(table, columns=[column.iloc[:last] for column in table.columns])


def _read_parquet(path: Path) -> TextTable:
    try:
        import pyarrow.parquet
    except ImportError:
        raise EdkitError(
            f"{str(path)!r}: reading Parquet needs pyarrow: pip install 'edkit[parquet]', or give "
            "CSV."
        ) from None
    try:
        facts = pyarrow.parquet.ParquetFile(path).metadata
        check_memory(
            facts.num_rows * facts.num_columns * 12, repr(str(path)), "give several smaller files"
        )
        import pandas as pd

        frame = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:  # pyarrow's errors are among them
        detail = " ".join(str(error).split())[:120].rstrip(".")
        raise EdkitError(
            f"{str(path)!r}: expected a Parquet file, found something else or a damaged one: write "
            f"it again ({detail})."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=frame.index.name or "")
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    return _of_columns(path, [str(n) for n in frame.columns], columns, [])


def _read_npz(path: Path) -> TextTable:
    """Return the arrays of one axis, each a column; of two axes each column is one, NAME_1 first.

    Raises:
        EdkitError: it is no npz file, or its columns differ in length.
    """
    import pandas as pd

    names: list[str] = []
    columns: list[pd.Series] = []
    left: list[str] = []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                array = arrays[name]
                if array.ndim not in (1, 2) or array.dtype.kind not in "biufU":
                    left.append(f"{name} {array.shape}")
                    continue
                parts = array.T if array.ndim == 2 else [array]
                columns += [pd.Series(one).replace("", None) for one in parts]
                names += [f"{name}_{i + 1}" if array.ndim == 2 else name for i in range(len(parts))]
    except (OSError, ValueError, BadZipFile) as error:
        detail = " ".join(str(error).split())[:120].rstrip(".")
        raise EdkitError(
            f"{str(path)!r}: expected an npz file of numbers and texts, found something else or a "
            f"damaged one: write it again ({detail})."
        ) from error
    lengths = {name: len(column) for name, column in zip(names, columns, strict=True)}
    if len(set(lengths.values())) != 1:
        raise EdkitError(
            f"{str(path)!r}: expected columns of one length, found {str(lengths)[:120]}: save one "
            "array a column."
        )
    note = ("columns", f"no columns: {', '.join(left[:4])}", "", len(left), True)
    return _of_columns(path, names, columns, [note])


def _of_columns(
    path: Path, names: list[str], columns: "list[pandas.Series]", notes: list[Note]
) -> TextTable:
    """Return a table of named columns, its rows counted from 1."""

    def where(row: int, column: int) -> tuple[str, str]:
        return f"row {row + 1}, column {names[column]!r}", str(columns[column].iloc[row])

    return TextTable(path, names, columns, [""] * len(columns), where, notes)
