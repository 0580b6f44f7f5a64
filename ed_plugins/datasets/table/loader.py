"""Loader of the rows of a table: columns of numbers and of categories, with gaps."""

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ed_core import (
    Dataset,
    EdkitError,
    Field,
    Fields,
    FilePath,
    Findings,
    InputRecord,
    Standardisation,
    content_generator,
    dataset,
)
from ed_core.data.memory import check_memory
from ed_plugins.datasets._options import NO_FILE, SPLITS
from ed_plugins.datasets.table.columns import (
    Column,
    Roles,
    TableOptions,
    find_roles,
    numbers_in,
    split_column,
    target_of,
    texts_of,
)
from ed_plugins.datasets.table.csv_layout import Note, TextOptions
from ed_plugins.datasets.table.csv_tables import TextTable
from ed_plugins.datasets.table.files import read_columns
from ed_plugins.datasets.table.numbers import without_index
from ed_plugins.datasets.table.reader import READER

_TEST = 0.2


@dataset(files=READER)
def table(
    *,
    path: FilePath = NO_FILE,
    label: str = "",
    target: Literal["auto", "class", "value"] = "auto",
    columns: str = "",
    drop: str = "",
    categories: str = "",
    id: str = "",  # noqa: A002 - the option's name
    gap: str = "",
    test: str = "",
    seed: int = 0,
    decimal: Literal["auto", ".", ","] = "auto",
    heading: Literal["auto", "yes", "no"] = "auto",
    encoding: str = "",
) -> Dataset:
    """Rows of a CSV, Parquet or npz table: numbers and categories, of which some may be missing.

    The field `features` holds the numbers of a row. A column of numbers is one of them, brought to
    mean 0 and deviation 1 over the rows that are trained on; a column of texts, or of yes and no,
    is one of 0 or 1 for each of its categories. An empty cell is no target, and the network sees
    the mean, or none of the categories, in its place. Dates, free texts, empty columns and those
    with one value alone are left out. Of an npz file each array of one axis is a column.

    Args:
        path: of a CSV, Parquet or npz file.
        label: the column to predict: a field `label` of classes, or a field `value`.
        target: whether the label is a class or a value; auto takes texts, and up to 20 different
            whole numbers, for classes.
        columns: the inputs: names, or numbers from 1, joined by commas; all others by default.
        drop: columns that are no inputs.
        categories: columns of numbers that are categories, or of more than 50 texts.
        id: the column that names the rows, or none; by default one called id or the like, whose
            cells all differ.
        gap: the number for no value, such as -9999; none if there is none.
        test: the share of the rows to test on, drawn at random, or the column that says train,
            validation or test; by default a column `split`, else 0.2.
        seed: of the choice of the test rows.
        decimal: the decimal mark of a CSV file; auto infers it from the numbers.
        heading: whether a CSV file's first line names its columns; auto infers it.
        encoding: of a CSV file; by default UTF-8, or UTF-16 by its mark, else cp1252.
    """
    if not path:
        raise EdkitError("data set 'table' needs a CSV, Parquet or npz file: table:FILE.csv.")
    if gap not in ("", "none") and not re.fullmatch(r"[+-]?\d+\.?\d*", gap):
        raise EdkitError(f"option 'gap' is a number such as -9999, or none, received {gap!r}.")
    text = TextOptions(decimal, heading, encoding)
    options = TableOptions(label, target, columns, drop, categories, id, gap, text)
    findings = Findings()
    read = read_columns(Path(path), text)
    notes: list[Note] = read.notes
    if not columns:
        read = without_index(read, notes)
    _report(notes, findings)
    return _dataset(read, options, test, seed, findings)


def _dataset(
    read: TextTable, options: TableOptions, test: str, seed: int, findings: Findings
) -> Dataset:
    """Return the rows of a table as a data set."""
    column = split_column(read, test)
    roles = find_roles(read, options, column, findings)
    inputs = [one for _, one in roles.inputs]
    names = tuple(name for one in inputs for name in one.names)
    rows = len(read.columns[0])
    check_memory(
        12 * rows * len(names), repr(str(read.path)), "take fewer columns, such as drop=NAME"
    )
    features, said = numbers_in(read, roles.inputs, options)
    _report_inputs(inputs, features, said, findings)
    fields = Fields(features=Field((len(names),), "signal", partial=True, names=names))
    arrays: dict[str, np.ndarray] = {"features": features}
    classes: tuple[str, ...] = ()
    if roles.label >= 0:
        classes, labels = target_of(read, options, roles.label, findings)
        name = "label" if classes else "value"
        missing = bool((labels < 0).any() if classes else np.isnan(labels).any())
        fields[name] = Field((), "class" if classes else "value", classes, partial=missing)
        if not classes:
            fields[name] = replace(fields[name], scale=_scale(labels))
        arrays[name] = labels
    splits = _splits(read, column, test, rows, seed, findings)
    plain = np.cumsum([0, *(len(one.names) for one in inputs)])
    kept = [
        number
        for one, first in zip(inputs, plain, strict=False)
        if one.kind == "category"
        for number in range(int(first), int(first) + len(one.names))
    ]
    return Dataset(
        fields,
        {
            split: {name: array[chosen] for name, array in arrays.items()}
            for split, chosen in splits.items()
        },
        None if column >= 0 else arrays,
        preparation=Standardisation("features", gaps=True, plain=tuple(kept)),
        input=InputRecord(
            findings=tuple(findings),
            reading={
                "table": {
                    **_reading(read, roles, options, classes),
                    "type": str(features.dtype),
                }
            },
        ),
    )


def _scale(values: np.ndarray) -> tuple[float, float]:
    """Return the mean and the deviation of values; 1 where all are the same."""
    return float(np.nanmean(values)), float(np.nanstd(values)) or 1.0


def _reading(
    read: TextTable, roles: Roles, options: TableOptions, classes: tuple[str, ...]
) -> dict[str, Any]:
    """Return how the columns were read, ready for JSON."""

    def name(index: int) -> str:
        return read.label(index) if index >= 0 else ""

    return {
        "columns": [{**asdict(one), "classes": [*one.classes]} for _, one in roles.inputs],
        "label": {"column": name(roles.label), "classes": [*classes]},
        "id": name(roles.id),
        "gap": options.gap,
        **asdict(options.text),
    }


def _splits(
    read: TextTable, column: int, test: str, rows: int, seed: int, findings: Findings
) -> dict[str, np.ndarray]:
    """Return the rows of each split, in their order.

    Raises:
        EdkitError: a row is in no split, or none is left to train on or to test.
    """
    if column >= 0:
        words = [SPLITS.get(str(text).lower(), "") for text in texts_of(read.columns[column])]
        if "" in words:
            place, cell = read.where(words.index(""), column)
            raise EdkitError(
                f"{str(read.path)!r}, {place}: expected train, validation or test, found "
                f"{cell[:40]!r}: write one of these, or give option test a share, such as 0.2."
            )
        splits: dict[str, np.ndarray] = {
            split: np.flatnonzero(np.array(words) == split)
            for split in ("train", "validation", "test")
            if split in words
        }
        counts = ", ".join(f"{split} {len(chosen):,}" for split, chosen in splits.items())
        findings.infer("split", f"{counts} rows, by column {read.label(column)}", "test=SHARE")
        return splits
    count = round(float(test or _TEST) * rows)
    if not 0 < count < rows:
        raise EdkitError(
            f"{str(read.path)!r}: expected rows to train on and rows to test, found {rows - count} "
            f"and {count} of {rows}: give option test another share, such as 0.2."
        )
    order = content_generator(seed).permutation(rows)
    findings.infer(
        "split", f"{count:,} of {rows:,} rows, drawn at random, are the test", "test=SHARE"
    )
    return {"train": np.sort(order[count:]), "test": np.sort(order[:count])}


def _report(notes: Sequence[Note], findings: Findings) -> None:
    """Report what the reading of the file inferred and left out."""
    for about, text, option, count, left_out in notes:
        if left_out:
            findings.leave_out(about, count, text, option)
        else:
            findings.infer(about, text.replace("{n}", f"{count:,}"), option)


def _report_inputs(
    inputs: Sequence[Column],
    features: np.ndarray,
    said: Sequence[tuple[str, str]],
    findings: Findings,
) -> None:
    """Report the inputs, and their missing cells."""
    for kind, what in (("number", "numbers"), ("category", "categories")):
        names = [
            f"{one.name} ({len(one.classes)})" if one.classes else one.name
            for one in inputs
            if one.kind == kind
        ]
        if names:
            listed = ", ".join(names[:8]) + ", ..." * (len(names) > 8)
            first = next(one.name for one in inputs if one.kind == kind)
            option = f"drop={first}" if kind == "category" else f"categories={first}"
            findings.infer("features", f"{len(names)} of {what}: {listed}", option)
    for text, option in said:
        findings.infer("features", text, option)
    firsts = np.cumsum([0, *(len(one.names) for one in inputs)])[:-1]
    empty = int(np.isnan(features[:, firsts]).sum())
    if empty:
        share = 100 * empty / (len(features) * len(inputs))
        findings.infer("gaps", f"{empty:,} cells are empty ({share:.2g} %): no target", "")
