"""CSV tables that name image files and their labels."""

import csv
import io
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from ed_core import EdkitError
from ed_core.errors import unknown
from ed_plugins.datasets.folder.description import FieldPlan
from ed_plugins.datasets.folder.walk import image_endings

Columns = Mapping[str, Sequence[str]]  # heading to the cells of its column, as texts

_NONE = frozenset(("", "nan", "na", "n/a", "null", "none", "?"))  # cells without a value
_LARGEST = 2**28  # bytes
_TWO = -2  # stands for a name of several files


def read_columns(path: Path, names: "FileNames | None" = None, heading: str = "") -> Columns:
    """Return the columns of a CSV file by their headings; see `numbered` for one without any.

    Args:
        path: of the file.
        names: of the images, if it names some: a first line that does is no line of headings.
        heading: of a column that it is known to have.

    Raises:
        EdkitError: it is no such file.
    """
    names = names or FileNames(())
    try:
        if path.stat().st_size > _LARGEST:
            raise EdkitError(f"{str(path)!r} has more than {_LARGEST:,} bytes: give fewer columns.")
        content = path.read_bytes()
    except OSError as error:
        raise EdkitError(f"{str(path)!r} cannot be read: {error.strerror or error}.") from error
    lines = _cells(_decoded(content, path), names)
    headless = bool(lines) and heading not in lines[0] and _is_headless(lines, names)
    if headless:
        lines.insert(0, numbered(len(lines[0])))
    headings = lines[0] if lines else []
    if len(lines) < 2 or len(set(headings)) < len(headings):
        found = "two of one name" if len(lines) > 1 else "no line below them"
        raise EdkitError(
            f"{str(path)!r}: expected headings of different names, then a line a file; found "
            f"{found}."
        )
    for number, line in enumerate(lines[1:], 1 if headless else 2):
        if len(line) != len(headings):
            raise EdkitError(
                f"{str(path)!r}, line {number}: expected {len(headings)} cells as in the "
                f"{'first line' if headless else 'headings'}, found {len(line)}."
            )
    return {name: [line[place] for line in lines[1:]] for place, name in enumerate(headings)}


def numbered(count: int) -> list[str]:
    """Return the names of the columns of a table without headings: column_1, column_2, ..."""
    return [f"column_{number}" for number in range(1, count + 1)]


def _cells(text: str, names: "FileNames") -> list[list[str]]:
    """Return the cells of each line; spaces part them where nothing else does."""
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[: 2**14], ",;\t")
    except csv.Error:
        dialect = csv.excel  # one column, or commas that the sniffer does not see
    rows = csv.reader(io.StringIO(text, newline=""), dialect)
    lines = [[cell.strip() for cell in line] for line in rows if any(line)]
    if any(len(line) > 1 for line in lines) or names.count([one for (one,) in lines])[1]:
        return lines
    parted = [line[0].split() for line in lines]
    if len({*map(len, parted)}) != 1:
        return lines
    named = max(names.count(column)[1] for column in zip(*parted, strict=True))
    return parted if 2 * named >= len(parted) else lines


def _is_headless(lines: list[list[str]], names: "FileNames") -> bool:
    """Return whether the first line is one of data.

    It is one if it names a file, as the lines below it do; or if it seems to name one that is not
    there, and another of its cells is like those below it.
    """
    below = [line for line in lines[1:] if len(line) == len(lines[0])]
    columns = [*zip(*(below or lines[:1]), strict=True)]
    counts = [names.count(column) for column in columns]
    place = counts.index(max(counts))
    first, with_ending = lines[0][place], counts[place][1] > 0
    if names.count([first])[with_ending]:
        return True
    if not below or PurePosixPath(first).suffix.lower() not in image_endings():
        return False
    others = [pair for n, pair in enumerate(zip(lines[0], columns, strict=True)) if n != place]
    return any(is_like_data(cell, column) for cell, column in others)


def is_like_data(cell: str, column: Sequence[str]) -> bool:
    """Return whether a cell above a column may be one of it: a number like them, or the same."""
    number = not is_none(cell) and numbers_of([cell]) is not None
    return cell in column or (number and numbers_of(column) is not None)


def _decoded(content: bytes, path: Path) -> str:
    """Return a text in UTF-8, or in the code page of Windows."""
    if b"\0" in content:
        raise EdkitError(f"{str(path)!r}: expected a CSV file in UTF-8, found other bytes.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


class FileNames:
    """Names by which a table may call files: any end of their path, with or without the ending.

    Args:
        paths: of the files below the root, with `/` between folders.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._whole: dict[str, int] = {}  # with the ending
        self._bare: dict[str, int] = {}
        for row, path in enumerate(paths):
            parts = _normal(path).split("/")
            for first in range(len(parts)):
                name = "/".join(parts[first:])
                for row_of, one in (
                    (self._whole, name),
                    (self._bare, name.rpartition(".")[0] or name),
                ):
                    row_of[one] = row if row_of.get(one, row) == row else _TWO

    def count(self, cells: Iterable[str]) -> tuple[int, int]:
        """Return how many different names of files stand in cells, and how many with the ending."""
        names = {_normal(cell) for cell in cells}
        whole = names & self._whole.keys()
        return len(whole | (names & self._bare.keys())), len(whole)

    def rows(self, cells: Sequence[str]) -> np.ndarray:
        """Return the file that each cell names, -1 for none and -2 for several."""
        names = map(_normal, cells)
        return np.array([self._whole.get(one, self._bare.get(one, -1)) for one in names], int)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))


def names_column(columns: Columns, names: FileNames) -> tuple[str, np.ndarray] | None:
    """Return the column that names most files, and the file of each line; None where none does.

    Of two that name as many it is the one with endings: the numbers of the lines may be names
    without.
    """
    best = max(columns, key=lambda heading: names.count(columns[heading]))
    rows = names.rows(columns[best])
    named = len({*rows[rows >= 0].tolist()})
    return (best, rows) if 2 * named >= len(rows) or named >= 2 else None


def rows_named(columns: Columns, heading: str, names: FileNames, path: Path) -> np.ndarray:
    """Return the file of each line, -1 for none.

    Raises:
        EdkitError: there is no such column, no file is named, or one is named twice.
    """
    rows = names.rows(column(columns, heading, path))
    if (rows == _TWO).any():
        cell = columns[heading][int(np.argmax(rows == _TWO))]
        raise EdkitError(
            f"{str(path)!r}: {cell!r} in column {heading!r} is the name of several files: write "
            "their folders as well, such as cat/a.png."
        )
    counts = Counter(rows[rows >= 0].tolist())
    if not counts:
        raise EdkitError(
            f"{str(path)!r}: expected names of files in column {heading!r}, such as "
            f"{columns[heading][0]!r}; none of the images is called so."
        )
    row, most = counts.most_common(1)[0]
    if most > 1:
        cell = columns[heading][int(np.argmax(rows == row))]
        raise EdkitError(
            f"{str(path)!r}: {cell!r} stands in {most} lines: expected one line a file."
        )
    return rows


def column(columns: Columns, heading: str, path: Path) -> Sequence[str]:
    """Return the cells of a column; raise EdkitError where the table has none of this name."""
    if heading not in columns:
        raise unknown(f"column of {str(path)!r}:", heading, columns)
    return columns[heading]


def is_none(cell: str) -> bool:
    """Return whether a cell holds no value."""
    return cell.lower() in _NONE


def numbers_of(cells: Sequence[str]) -> np.ndarray | None:
    """Return the numbers of a column, NaN where there is none; None where some are texts."""
    try:
        numbers = np.array([math.nan if is_none(cell) else float(cell) for cell in cells])
    except ValueError:
        return None
    return None if np.isinf(numbers).any() else numbers


def label_numbers(plan: FieldPlan, cells: Sequence[str], path: Path) -> np.ndarray:
    """Return the class, -1 for none, or the value, NaN for none, of each line, (lines,).

    Raises:
        EdkitError: a cell is of no class, or no number.
    """
    if plan.kind == "value":
        numbers = numbers_of(cells)
        if numbers is None:
            odd = next(cell for cell in cells if numbers_of([cell]) is None)
            raise EdkitError(
                f"{str(path)!r}: expected numbers in column {plan.column!r}, found {odd!r}."
            )
        return (numbers * plan.scale + plan.offset).astype("float32")
    number_of = {name: number for number, name in enumerate(plan.classes)}
    number_of |= {str(one): -1 for one in plan.ignore}
    for cell in set(cells):
        if cell not in number_of and not is_none(cell):
            raise EdkitError(
                f"{str(path)!r}: expected one of the classes {', '.join(list(plan.classes)[:8])} "
                f"in column {plan.column!r}, found {cell!r}: add it to classes."
            )
    return np.array([number_of.get(cell, -1) for cell in cells], "int32")
