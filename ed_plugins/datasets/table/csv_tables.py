"""Tables of numbers in text files, read by pandas."""

import codecs
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ed_core import EdkitError
from ed_core.data.memory import check_memory
from ed_plugins.datasets.table.csv_layout import (
    GAPS,
    HEAD,
    SEPARATORS,
    Layout,
    Note,
    Row,
    TextOptions,
    each_row,
    find_layout,
    is_comment,
    number_of,
    plain,
)

if TYPE_CHECKING:
    import pandas

_BYTES = 20  # bytes of a cell, at most: as float64, as float32, and during concatenation
_SOUNDS = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".wma", ".aif", ".aiff", ".au")
_ARRAYS = (".npz", ".npy", ".mat", ".h5", ".hdf5")
_FIRST = 100  # cells tested whether texts are numbers
_WORDS = {";": "semicolons", "\t": "tabs", "|": "bars", ",": "commas", " ": "spaces"}


@dataclass(frozen=True, slots=True)
class TextTable:
    """Columns of a file, with the places of its cells.

    Args:
        path: of the file.
        names: of the columns, "" for none.
        columns: of equal length.
        units: of the columns, if a line states them.
        where: row and column to their place, for messages, and the cell's text.
        notes: what was inferred and left out.
        headed: whether the file holds the names.
        numbers: of the columns in the file, from 0.
    """

    path: Path
    names: list[str]
    columns: "list[pandas.Series]"
    units: list[str]
    where: Callable[[int, int], tuple[str, str]]
    notes: list[Note]
    headed: bool = True
    numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.numbers:
            object.__setattr__(self, "numbers", tuple(range(len(self.columns))))

    def label(self, column: int) -> str:
        """Return a column's name for option `columns`, or its number from 1."""
        name = self.names[column]
        plain = name and self.names.count(name) == 1 and not set(name) & set(',="')
        return name if plain and not name.isdigit() else str(self.numbers[column] + 1)

    def only(self, indices: Iterable[int]) -> "TextTable":
        """Return a table of some of the columns."""
        chosen = list(indices)
        names, columns, units = (
            [one[i] for i in chosen] for one in (self.names, self.columns, self.units)
        )
        where = self.where
        return replace(
            self,
            names=names,
            columns=columns,
            units=units,
            where=lambda row, column: where(row, chosen[column]),
            numbers=tuple(self.numbers[i] for i in chosen),
        )


def read_text(path: Path, options: TextOptions) -> TextTable:
    """Return the table in a text file.

    Raises:
        EdkitError: it is no text, has no columns of numbers, has a row with surplus cells, or is
            ambiguous; the message names the option that decides.
    """
    if sound_remedy(path):
        raise EdkitError(_no_text(path))
    _check_size(path)
    encoding, marks = _encoding(path, options.encoding)
    notes: list[Note] = []
    if encoding == "cp1252" and not options.encoding:
        notes.append(("encoding", "cp1252, since it is no UTF-8", "encoding=latin-1", 0, False))
    elif encoding.startswith("utf-16"):
        notes.append(("encoding", "UTF-16", "", 0, False))
    layout = find_layout(path, encoding, options, notes)
    if marks:
        layout = _with_comments(path, layout, notes)
    frame = _parsed(path, layout)
    first = layout.width
    for column in range(first, frame.shape[1]):
        full = frame[column].notna().to_numpy()
        if full.any():
            raise _surplus(path, layout, int(full.argmax()))
    columns = [_mended(frame.pop(column), layout) for column in range(first)]
    names = list(layout.names) or [""] * first
    units = list(layout.units) or [""] * first
    headed = bool(layout.names)

    def where(row: int, column: int) -> tuple[str, str]:
        line, cells = _row(path, layout, row)
        cell = cells[column] if column < len(cells) else ""
        name = f" ({names[column][:40]!r})" if names[column] else ""
        return f"line {line}, column {column + 1}{name}", cell

    return TextTable(path, names, columns, units, where, notes, headed)


def _encoding(path: Path, choice: str) -> tuple[str, bool]:
    """Return the encoding of a file, and whether it may hold comments."""
    with path.open("rb") as file:
        head = file.read(4096)
    candidates = ["utf-8", "cp1252"]
    marks = [(codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32")]
    marks += [(codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]
    if choice:
        try:
            "a".encode(choice)  # some codecs do not decode text
            candidates = [codecs.lookup(choice).name]
        except (LookupError, ValueError):
            raise EdkitError(
                f"option 'encoding' is the name of an encoding, such as utf-8, cp1252 or utf-16, "
                f"received {choice!r}."
            ) from None
        if candidates == ["utf-8"]:
            candidates = ["utf-8-sig"]
    elif named := [name for mark, name in marks if head.startswith(mark)]:
        candidates = named[:1]
    elif b"\0" in head:  # every second byte of UTF-16
        halves = [head[start::2].count(0) for start in (0, 1)]
        candidates = ["utf-16-le" if halves[1] > halves[0] else "utf-16-be"]
        if max(halves) < len(head) // 4:
            raise EdkitError(_no_text(path))
    for name in candidates:
        try:
            with path.open(encoding=name) as file:
                return name, _marked(path, file)
        except UnicodeError:
            continue
    expected = f"text of encoding {candidates[0]!r}" if choice else "text of UTF-8 or cp1252"
    raise EdkitError(
        f"{str(path)!r}: expected {expected}, found bytes that are none: say its encoding, such as "
        "encoding=utf-16, or save it as UTF-8."
    )


def _marked(path: Path, file: TextIO) -> bool:
    """Return whether a text may hold comments; read all of it."""
    marked = False
    while part := file.read(HEAD):
        if "\0" in part:
            raise EdkitError(_no_text(path))
        marked = marked or "#" in part or "%" in part
    return marked


def _no_text(path: Path) -> str:
    return (
        f"{str(path)!r}: expected a table in text, found bytes that are no text: give a CSV file, "
        f"or save it again{sound_remedy(path)}."
    )


def _with_comments(path: Path, layout: Layout, notes: list[Note]) -> Layout:
    """Return the layout with its lines of comments, and whether comments end other lines."""
    whole, inline, errors = [], 0, False
    with path.open(encoding=layout.encoding) as file:
        for number, line in enumerate(file):
            if "#" not in line and "%" not in line:
                continue
            if is_comment(line):
                whole.append(number)
            elif number >= layout.before and "#" in line:
                inline += 1
                errors = errors or re.search(r"#(N/?A|[A-Z]+/?0?[!?])", line) is not None
    notes.append(("lines", "comments", "", len(whole), True))
    notes.append(("lines", "ends of lines from # on", "", 0 if errors else inline, True))
    return replace(layout, comments=tuple(whole), inline=bool(inline) and not errors)


def _parsed(path: Path, layout: Layout) -> "pandas.DataFrame":
    """Return the columns, numbered from 0, with further ones that must be empty."""
    import pandas as pd

    first = layout.before - layout.folded  # a continued line counts once
    after = (line for line in layout.comments if line >= layout.before)
    try:
        # Opened here for the same line ends as in the search for the layout.
        with warnings.catch_warnings(), path.open(encoding=layout.encoding) as file:
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # odd cells are named later
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                file,
                sep=r"\s+" if layout.separator == " " else layout.separator,
                header=None,
                names=range(layout.widest),
                index_col=False,
                skiprows=sorted({*range(first), *(line - layout.folded for line in after)}),
                comment="#" if layout.inline else None,
                quotechar=layout.quote,
                decimal=layout.decimal,
                thousands=layout.thousands,
                skipinitialspace=True,
                skip_blank_lines=layout.blank,
                na_values=sorted(GAPS),
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        raise _surplus(path, layout, None, error) from error


def _mended(column: "pandas.Series", layout: Layout) -> "pandas.Series":
    """Return a column with numbers that pandas left as text because of odd cells."""
    import pandas as pd

    if column.dtype.kind in "iufbM":
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    texts = column[(numbers.isna() & column.notna()).to_numpy()]
    if all(number_of(str(cell), layout) is None for cell in texts.iloc[:_FIRST]):
        return column
    parsed = texts.map(lambda cell: number_of(str(cell), layout)).astype("float64")
    mended = numbers.astype("float64").fillna(parsed)
    return mended if parsed.notna().all() else mended.astype("object").fillna(texts)


def _check_size(path: Path) -> None:
    """Raise an error for a file too large for the memory, before it is read."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    cells = head.count(b"\n") + max(head.count(mark.encode()) for mark in SEPARATORS)
    needed = int(path.stat().st_size / max(len(head), 1) * cells) * _BYTES
    check_memory(needed, repr(str(path)), "give several smaller files")


def _surplus(
    path: Path, layout: Layout, row: int | None, error: Exception | None = None
) -> EdkitError:
    """Return the error about the first row with more cells than the others."""
    for number, cells in _data_rows(path, layout):
        full = len(cells) - next((i for i, cell in enumerate(reversed(cells)) if cell), len(cells))
        if full > layout.width or len(cells) > layout.widest:
            return EdkitError(
                f"{str(path)!r}, line {number}: expected {layout.width} "
                f"cell{'s' * (layout.width > 1)} between {_WORDS.get(layout.separator, 'marks')}, "
                f"found {max(full, layout.width + 1)}: take out what is too much there."
            )
    detail = " ".join(str(error).split())[:120].rstrip(".") if error else f"row {row}"
    return EdkitError(
        f"{str(path)!r}: expected rows of {layout.width} cells, found what cannot be parted into "
        f"cells, such as a quotation mark that is never closed ({detail}): mend it there."
    )


def _data_rows(path: Path, layout: Layout) -> Iterator[Row]:
    """Yield the rows of the file; blank ones only if these count."""
    skipped = {*range(layout.before), *layout.comments}
    with path.open(encoding=layout.encoding) as file:
        for number, line in enumerate(file):
            text = line.rstrip("\n")
            if number in skipped or (layout.blank and not text.strip()):
                continue
            text = text.partition("#")[0] if layout.inline else text
            yield (
                number + 1,
                next((c for _, c in each_row([text], layout.separator, layout.quote)), [""]),
            )


def _row(path: Path, layout: Layout, number: int) -> Row:
    """Return one row of the file."""
    return next(row for i, row in enumerate(_data_rows(path, layout)) if i == number)


def sound_remedy(path: Path) -> str:
    """Return the remedy for a file that may be a sound or a table of another format."""
    if path.suffix.lower() in _SOUNDS:
        return f"; convert it to WAV, such as by ffmpeg -i OLD{path.suffix} NEW.wav"
    if path.suffix.lower() in _ARRAYS:
        return f"; for arrays there is --data arrays:{path.name}"
    return ""


def column_of(table: TextTable, wanted_name: str, option: str) -> int:
    """Return the index, from 0, of a column given by its name or by its number from 1.

    Args:
        table: of a file.
        wanted_name: the name or the number.
        option: that gives it; "" where a run was trained on that column.

    Raises:
        EdkitError: there is none, or there are several.
    """
    same = [i for i, name in enumerate(table.names) if plain(name) == plain(wanted_name)]
    if (
        not same
        and wanted_name.isascii()
        and wanted_name.isdigit()
        and 0 < int(wanted_name) <= len(table.names)
    ):
        same = [int(wanted_name) - 1]
    if len(same) == 1:
        return same[0]
    there = ", ".join(name or str(i) for i, name in enumerate(table.names, 1))[:200]
    if not option:
        count = f"{len(same)} columns" if same else "no column"
        raise EdkitError(
            f"{str(table.path)!r} has {count} {wanted_name!r}, which the run was trained on, among "
            f"{there}: name its columns as those of the run."
        )
    if same:
        numbers = " and ".join(str(i + 1) for i in same)
        raise EdkitError(
            f"{str(table.path)!r} has {len(same)} columns {wanted_name!r}: give one of the numbers "
            f"{numbers} as option {option!r}."
        )
    raise EdkitError(
        f"{str(table.path)!r} has no column {wanted_name!r}: option {option!r} is of {there}, or "
        f"of their numbers from 1 to {len(table.names)}."
    )


def bad_cell(table: TextTable, row: int, column: int, others: list[str]) -> EdkitError:
    """Return the error about a cell that is no number."""
    place, cell = table.where(row, column)
    remedy = f", or take other columns, such as columns={','.join(others)}" if others else ""
    return EdkitError(
        f"{str(table.path)!r}, {place}: expected a finite number, found {cell[:40]!r}: mend it"
        f"{remedy}."
    )
