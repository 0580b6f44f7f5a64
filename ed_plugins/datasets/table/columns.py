"""Columns of a table as numbers: standardised later, categories one-hot, missing ones NaN."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ed_core import EdkitError, Findings
from ed_plugins.datasets._options import say_splits
from ed_plugins.datasets.table.csv_layout import DATE, TextOptions, plain
from ed_plugins.datasets.table.csv_tables import TextTable, column_of
from ed_plugins.datasets.table.numbers import (
    is_text,
    names_in,
    numbers_of,
    outliers,
    take_out,
)

if TYPE_CHECKING:
    import pandas

_CLASSES = 50  # categories of a column, at most, unless the user names it
_LABELS = 20  # whole numbers that are classes, at most
_LISTED = 5
_MOSTLY = 0.9  # share of numbers among the cells from which the others are mistakes
_IDS = {"id", "ids", "key", "uuid", "guid", "name", "row", "index", "no", "nr"}

Kind = Literal["number", "category"]


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Reading options of tables; see the options of `table`."""

    label: str = ""
    target: Literal["auto", "class", "value"] = "auto"
    columns: str = ""
    drop: str = ""
    categories: str = ""
    id: str = ""
    gap: str = ""
    text: TextOptions = field(default_factory=TextOptions)


@dataclass(frozen=True, slots=True)
class Column:
    """Column that is an input.

    Args:
        name: in the file.
        kind: number or category.
        classes: of a category, in the order of its numbers.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its numbers: one, or one a category."""
        return tuple(f"{self.name}={one}" for one in self.classes) or (self.name,)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Column":
        """Return the column that a run keeps."""
        return cls(str(facts["name"]), facts["kind"], tuple(map(str, facts["classes"])))


@dataclass(frozen=True, slots=True)
class Roles:
    """Columns of a table by what they are for; indices from 0, -1 for none.

    Args:
        inputs: index and column of each input.
        label: of the target.
        id: of the rows' names.
        split: of the rows' splits.
    """

    inputs: tuple[tuple[int, Column], ...]
    label: int = -1
    id: int = -1
    split: int = -1


def find_roles(table: TextTable, options: TableOptions, split: int, findings: Findings) -> Roles:
    """Return what each column is for.

    Args:
        table: of a file.
        options: of the user.
        split: the column of the splits, or -1.
        findings: receives what is inferred and left out.

    Raises:
        EdkitError: an option names no column, no input is left, or a column of numbers has cells
            that are none.
    """
    label = column_of(table, options.label, "label") if options.label else -1
    chosen = _indices(table, options.columns, "columns")
    dropped = _indices(table, options.drop, "drop")
    if options.id:
        named = -1 if options.id == "none" else column_of(table, options.id, "id")
    else:
        named = _id_of(table, {label, split, *chosen})
        if named >= 0:
            findings.infer("rows", f"named by column {table.label(named)}", "id=none")
    rest = [i for i in range(len(table.columns)) if i not in {label, split, named, *dropped}]
    if both := set(chosen) & {label, split, *dropped}:
        raise EdkitError(
            f"{str(table.path)!r}: column {table.label(min(both))!r} is named by option 'columns' "
            "and by another: expected one use of each."
        )
    categories = _indices(table, options.categories, "categories")
    inputs = _inputs(table, chosen or rest, {*chosen, *categories}, categories, findings)
    if not inputs:
        raise EdkitError(
            f"{str(table.path)!r}: expected a column of numbers or of categories, found none: name "
            "one, such as columns=NAME."
        )
    return Roles(tuple(inputs), label, named, split)


def split_column(read: TextTable, test: str) -> int:
    """Return the column of the splits, or -1 where rows are drawn at random.

    Raises:
        EdkitError: the option is neither a share nor a column.
    """
    if test and not re.fullmatch(r"0?\.\d+|0|1", test):
        return column_of(read, test, "test")
    for index, name in enumerate(read.names):
        is_called_so = name.strip().lower() in ("split", "set", "subset", "partition")
        if not test and is_called_so and say_splits(map(str, texts_of(read.columns[index]))):
            return index
    return -1


def _indices(table: TextTable, names: str, option: str) -> list[int]:
    return [column_of(table, name, option) for name in names_in(names)]


def _id_of(table: TextTable, others: set[int]) -> int:
    """Return the column that names the rows: called id or the like, each cell another; else -1."""
    for i, name in enumerate(table.names):
        words = plain(name).lower().replace("-", "_").split("_")
        series = table.columns[i]
        if i in others or series.dtype.kind == "f" or not {words[-1], "".join(words)} & _IDS:
            continue
        if series.notna().all() and series.is_unique:
            return i
    return -1


def _inputs(
    table: TextTable,
    indices: Sequence[int],
    wanted: set[int],
    categories: Sequence[int],
    findings: Findings,
) -> list[tuple[int, Column]]:
    """Return the inputs among some columns; say what is left out and why."""
    inputs: list[tuple[int, Column]] = []
    left: dict[str, list[str]] = {}
    for i in indices:
        series, name = table.columns[i], plain(table.names[i]) or str(table.numbers[i] + 1)
        filled = series.dropna()
        if not len(filled):
            left.setdefault("without a cell", []).append(name)
        elif i not in categories and _is_dated(series):
            left.setdefault("of dates, which are no numbers", []).append(name)
        elif i not in categories and not is_category(table, i):
            if filled.nunique() < 2 and i not in wanted:
                left.setdefault("with one value alone", []).append(name)
            else:
                inputs.append((i, Column(name, "number")))
        else:
            classes = categories_of(series)
            if i not in wanted and len(classes) > min(_CLASSES, max(2, len(filled) // 2)):
                left.setdefault(f"of text, {len(classes):,} different", []).append(name)
            elif len(classes) < 2 and i not in wanted:
                left.setdefault("with one value alone", []).append(name)
            else:
                inputs.append((i, Column(name, "category", classes)))
    for why, names in left.items():
        text = f"{why}: {', '.join(names[:_LISTED])}{', ...' * (len(names) > _LISTED)}"
        option = f"categories={names[0]}" if "text" in why else ""
        findings.leave_out("columns", len(names), text, option)
    return inputs


def _is_dated(series: "pandas.Series") -> bool:
    if series.dtype.kind in "biuf":
        return False
    cell = str(series.dropna().iloc[0]).strip()
    return series.dtype.kind == "M" or DATE.fullmatch(cell) is not None


def is_category(table: TextTable, column: int) -> bool:
    """Return whether a column holds texts, or yes and no.

    Raises:
        EdkitError: most of its cells are numbers, and some are not.
    """
    import pandas as pd

    series = table.columns[column]
    if series.dtype.kind in "iuf":
        return False
    if series.dtype.kind == "b" or is_text(table, column):
        return True
    numbers = pd.to_numeric(series, errors="coerce")
    wrong = (numbers.isna() & series.notna()).to_numpy()
    if wrong.sum() > (1 - _MOSTLY) * series.notna().sum():
        return True
    if wrong.any():
        place, cell = table.where(int(wrong.argmax()), column)
        label = table.label(column)
        raise EdkitError(
            f"{str(table.path)!r}, {place}: expected a number as in the other rows, found "
            f"{cell[:40]!r}: mend it, or say categories={label} or drop={label}."
        )
    return False


def categories_of(series: "pandas.Series") -> tuple[str, ...]:
    """Return the different texts of a column: numbers in their order, others by the alphabet."""
    texts = sorted({text for text in texts_of(series) if text is not None})
    try:
        return tuple(sorted(texts, key=float))
    except ValueError:
        return tuple(texts)


def texts_of(series: "pandas.Series") -> list[str | None]:
    """Return the text of each cell, None where it is empty; whole numbers without a point."""
    texts: list[str | None] = []
    for cell, there in zip(series.tolist(), series.notna().to_numpy(), strict=True):
        if not there:
            texts.append(None)
        elif isinstance(cell, float):
            texts.append(str(int(cell)) if cell.is_integer() else repr(cell))
        else:
            texts.append(plain(str(cell)).strip() or None)
    return texts


def numbers_in(
    table: TextTable, inputs: Sequence[tuple[int, Column]], options: TableOptions
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Return the inputs (rows, numbers), NaN where a cell is empty, and findings with options.

    Raises:
        EdkitError: a number is infinite, or seems to mark a missing one and is not stated.
    """
    indices = [i for i, column in inputs if column.kind == "number"]
    numbers = numbers_of(table, indices)
    take_out(table, indices, numbers, options.gap)
    infinite = np.isinf(numbers)
    if infinite.any():
        row, number = map(int, np.argwhere(infinite)[0])
        place, cell = table.where(row, indices[number])
        raise EdkitError(
            f"{str(table.path)!r}, {place}: expected a finite number, found {cell[:40]!r}: mend it."
        )
    said = [(text, option) for _, text, option, *_ in outliers(table, indices, numbers)]
    parts, at = [], 0
    for i, column in inputs:
        if column.kind == "number":
            parts.append(numbers[:, at : at + 1])
            at += 1
        else:
            parts.append(one_hot(class_numbers(texts_of(table.columns[i]), column.classes), column))
    return np.concatenate(parts, axis=1), said if not options.gap else []


def class_numbers(texts: Sequence[str | None], classes: Sequence[str]) -> np.ndarray:
    """Return the number (rows,) of each text: -1 for none, -2 for one that is no class."""
    order = {name: number for number, name in enumerate(classes)}
    return np.array([-1 if text is None else order.get(text, -2) for text in texts], "int32")


def one_hot(numbers: np.ndarray, column: Column) -> np.ndarray:
    """Return (rows, classes) float32 of class numbers; NaN where there is no class."""
    rows = (numbers[:, None] == np.arange(len(column.classes))).astype("float32")
    rows[numbers < 0] = np.nan
    return rows


def target_of(
    table: TextTable, options: TableOptions, index: int, findings: Findings
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the classes of the label and the number (rows,) of each row's, or () and values.

    A class of -1, and a value of NaN, is an empty cell.

    Raises:
        EdkitError: the column is neither.
    """
    series, name = table.columns[index], table.label(index)
    filled = series.dropna()
    if not len(filled):
        raise EdkitError(f"{str(table.path)!r}: the label {name!r} is empty in every row.")
    missing = len(series) - len(filled)
    if missing:
        findings.infer("label", f"{missing:,} of {len(series):,} rows have none")
    text = is_category(table, index)
    few = not text and bool((filled % 1 == 0).all()) and filled.nunique() <= _LABELS
    if options.target == "value" or (options.target == "auto" and not text and not few):
        if text:
            raise EdkitError(
                f"{str(table.path)!r}: the label {name!r} is text, and no value: say target=class."
            )
        values = numbers_of(table, [index])[:, 0]
        if np.isinf(values).any():
            raise EdkitError(f"{str(table.path)!r}: the label {name!r} holds infinity: mend it.")
        findings.infer("label", f"{name}, a value", "target=class")
        return (), values
    classes = categories_of(series)
    if len(classes) > max(2, len(filled) // 2):
        raise EdkitError(
            f"{str(table.path)!r}: expected a label with a few classes, found {len(classes):,} in "
            f"{len(filled):,} rows of {name!r}: name another column"
            f"{'' if text else ', or say target=value'}."
        )
    listed = ", ".join(classes[:_LISTED]) + ", ..." * (len(classes) > _LISTED)
    option = "" if text else "target=value"
    findings.infer("label", f"{name}, {len(classes)} classes: {listed}", option)
    return classes, class_numbers(texts_of(series), classes)
