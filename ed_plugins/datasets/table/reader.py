"""Reader of a user's tables for a run: its columns, its categories, a name for each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ed_core import EdkitError, Field, Fields, FileReader, Findings
from ed_core.plugins.spec import PRESENT
from ed_plugins.datasets._samples import FilePart, JoinedSamples, files_of
from ed_plugins.datasets.table.columns import (
    Column,
    TableOptions,
    class_numbers,
    find_roles,
    one_hot,
    split_column,
    texts_of,
)
from ed_plugins.datasets.table.csv_layout import TextOptions
from ed_plugins.datasets.table.csv_tables import TextTable, column_of
from ed_plugins.datasets.table.files import read_columns


@dataclass(frozen=True, slots=True)
class _RowReading:
    """What is read of every file.

    Args:
        field: the name of the field of the inputs.
        fields: that the run takes.
        inputs: the run's columns.
        label: the run's column of the target, and its classes.
        id: the column that names the rows, "" for none.
        gap: the number for no value.
        text: options of CSV files.
        type: of the numbers.
    """

    field: str
    fields: Fields
    inputs: tuple[Column, ...]
    label: tuple[str, tuple[str, ...]]
    id: str
    gap: str
    text: TextOptions
    type: str


def open_tables(path: Path, fields: Fields, reading: Mapping[str, Any]) -> JoinedSamples:
    """Return the rows of a table, or of a folder of them, as a run takes them.

    Columns are found by their names, in any order; a row is named by its id, or its number from 1.

    Args:
        path: of a file or a folder.
        fields: that the run takes.
        reading: how the run's own table was read.

    Raises:
        EdkitError: the run was trained on no table, or no file can be read.
    """
    plan = _plan(path, fields, reading.get("table"))
    findings = Findings()
    parts = []
    for file, name in files_of(path, READER.endings, findings):
        try:
            parts.append(_part(file, name, plan, findings))
        except EdkitError as error:
            parts.append(FilePart(name, error=error))
    return JoinedSamples(parts, findings)


def _evidence(path: Path) -> str:
    """Return the columns that only a table has: of categories, names or splits; "" without one."""
    if path.is_dir():
        return ""
    if path.suffix.lower() == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return "columns alone" if all(arrays[name].ndim == 1 for name in arrays) else ""
    table, findings = read_columns(path, TextOptions()), Findings()
    split = split_column(table, "")
    if split >= 0:
        return f"splits in column {table.label(split)}"
    try:
        roles = find_roles(table, TableOptions(), -1, findings)
    except EdkitError:  # such as a cell that is no number
        return ""
    categories = [one.name for _, one in roles.inputs if one.kind == "category"]
    if categories:
        return f"categories in column {categories[0]}"
    named = roles.id >= 0 and table.columns[roles.id].dtype.kind not in "iuf"
    return f"names of rows in column {table.label(roles.id)}" if named else ""


READER = FileReader((".csv", ".tsv", ".parquet", ".npz", ".txt"), open_tables, evidence=_evidence)


def _plan(path: Path, fields: Fields, stated: Any) -> _RowReading:
    rows = [name for name, one in fields.items() if one.kind == "signal" and len(one.shape) == 1]
    if not isinstance(stated, Mapping) or not rows:
        takes = ", ".join(f"{name} ({field.words})" for name, field in fields.items())
        raise EdkitError(
            f"{str(path)!r} is read as a table, and the run was trained on none, but takes "
            f"{takes[:200]}: give files of the kind that it was trained on."
        )
    text = TextOptions(stated["decimal"], stated["heading"], stated["encoding"])
    return _RowReading(
        rows[0],
        fields,
        tuple(map(Column.from_facts, stated["columns"])),
        (str(stated["label"]["column"]), tuple(stated["label"]["classes"])),
        str(stated["id"]),
        str(stated["gap"]),
        text,
        str(stated["type"]),
    )


def _part(path: Path, name: str, plan: _RowReading, findings: Findings) -> FilePart:
    """Return the rows of one file."""
    table = read_columns(path, plan.text)
    rows = len(table.columns[0]) if table.columns else 0
    if not rows:
        raise EdkitError(f"{str(path)!r}: expected rows, found none.")
    indices = [column_of(table, one.name, "") for one in plan.inputs]
    parts, problems = [], dict[int, EdkitError]()
    for index, column in zip(indices, plan.inputs, strict=True):
        numbers = _numbers(table, index, column, plan.gap, problems)
        parts.append(numbers)
    arrays = {plan.field: np.concatenate(parts, axis=1).astype(plan.type)}
    empty = sum(int(np.isnan(part[:, 0]).sum()) for part in parts) - len(problems)
    if empty > 0:
        findings.infer("gaps", f"{empty:,} cells of {name} are empty")
    own = Fields({plan.field: plan.fields[plan.field]})
    for field, facts in plan.fields.items():
        if field not in (plan.field, plan.field + PRESENT):
            arrays[field] = _target(table, facts, plan, problems)
            own[field] = facts
    left = len(table.columns) - len(set(indices))
    ids = _ids(table, plan.id, rows)
    left -= ids is not None
    findings.leave_out("columns", left, f"not among the run's in {name}")

    def read(chosen: range) -> dict[str, np.ndarray]:
        for row in chosen:
            if row in problems:
                raise problems[row]
        key = slice(chosen.start, chosen.stop, chosen.step)
        return {field: array[key] for field, array in arrays.items()}

    return FilePart(name, ids or range(1, rows + 1), read, own)


def _ids(table: TextTable, column: str, rows: int) -> Sequence[str] | None:
    """Return the name of each row by the run's column of names, None where there is none."""
    if not column:
        return None
    try:
        texts = texts_of(table.columns[column_of(table, column, "")])
    except EdkitError:
        return None
    return [text or str(row) for text, row in zip(texts, range(1, rows + 1), strict=True)]


def _numbers(
    table: TextTable, index: int, column: Column, gap: str, problems: dict[int, EdkitError]
) -> np.ndarray:
    """Return a column's numbers (rows, size); note the rows whose cell the run cannot take."""
    import pandas as pd

    series = table.columns[index]
    if column.kind == "category":
        numbers = class_numbers(texts_of(series), column.classes)
        known = ", ".join(column.classes[:12]) + ", ..." * (len(column.classes) > 12)
        expected = f"one of the run's categories, {known}"
        wrong = numbers == -2
        result = one_hot(numbers, column)
    else:
        values = pd.to_numeric(series, errors="coerce")
        cells = values.to_numpy("float64", na_value=np.nan)[:, None]
        if gap not in ("", "none"):
            cells[cells == float(gap)] = np.nan
        expected = "a finite number"
        wrong = (values.isna() & series.notna()).to_numpy() | np.isinf(cells[:, 0])
        result = np.where(np.isinf(cells), np.nan, cells)
    for row in map(int, np.flatnonzero(wrong)):
        place, cell = table.where(row, index)
        problems.setdefault(
            row,
            EdkitError(
                f"{str(table.path)!r}, {place}: expected {expected}, found {cell[:40]!r}: mend it, "
                "or leave the row out."
            ),
        )
    return result


def _target(
    table: TextTable, field: Field, plan: _RowReading, problems: dict[int, EdkitError]
) -> np.ndarray:
    """Return the target (rows,) of a field, by the run's column of labels."""
    name, classes = plan.label
    if not name or (field.kind == "class") != bool(classes):
        raise EdkitError(f"{str(table.path)!r}: the run's table has no column for {field.words}.")
    index = column_of(table, name, "")
    kind = Column(name, "category" if classes else "number", classes)
    numbers = _numbers(table, index, kind, plan.gap, problems)
    if not classes:
        return numbers[:, 0]
    return np.where(np.isnan(numbers[:, 0]), -1, numbers.argmax(axis=1)).astype("int32")
