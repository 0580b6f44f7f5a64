"""Columns of a table: CSV and other text, Parquet, or the arrays of an npz file."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ed_core import EdkitError
from ed_core.data.memory import check_memory
from ed_plugins.datasets.table.csv_layout import TextOptions
from ed_plugins.datasets.table.csv_tables import TextTable, read_text


def read_columns(path: Path, options: TextOptions) -> TextTable:
    """Return a table from text or Parquet, without empty rows at its end."""
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else read_text(path, options)
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

    def where(row: int, column: int) -> tuple[str, str]:
        return f"row {row + 1}, column {frame.columns[column]!r}", str(frame.iat[row, column])

    return TextTable(path, [str(n) for n in frame.columns], columns, [""] * len(columns), where, [])
