"""Layout of text tables: separator, heading, units and decimal mark."""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from ed_core import EdkitError

Note = tuple[str, str, str, int, bool]  # subject, text, option, count, whether left out

HEAD = 2**20  # characters from which the layout is inferred
_STEADY = 8  # numbers in a row, and rows, that suggest names
_ROWS = 2000  # of them, at most
SEPARATORS = (";", "\t", "|", ",", " ")
GAPS = {"", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "?", "-", "--", "#n/a", "#na"}
GAPS |= {"#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!"}
_DOT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?|[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?")
# Marks that pandas does not know: other minus signs, spaces and apostrophes between thousands, and
# the exponents of Fortran.
_MINUS = re.compile("[\u2212\u2013]")
_SPACED = re.compile(r"[+-]?\d{1,3}(?:([ \u00a0\u2009\u202f'\u2019])\d{3})(?:\1\d{3})*(?:[.,]\d*)?")
_FORTRAN = re.compile(r"([+-]?\d+\.?\d*|[+-]?\.\d+)[dD]([+-]?\d+)")
_ODD = re.compile("[\u2212\u2013 \u00a0\u2009\u202f'\u2019dD]")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\\.?"
DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:\b|(?=T\d)).*|\d{1,3}:\d{2}(?::\d{2})?(?:[.,]\d+)?\b.*"
    r"|\d{4}[-/](?:0[1-9]|1[0-2])"
    rf"|\d{{1,4}}[-/. ]{_MONTH}[-/., ]+\d{{1,4}}\b.*|(?:[a-z]{{3}},? )?{_MONTH} \d{{1,2}},? .*\d",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"[\[(]?(?:[Ss]|sec|[Ss]econds?|m?sec|[mµun]s|min|minutes?|h|hours?|[hms]+:[hms:.]+|[mµunkM]?(?:V|A|Hz"
    r"|g|m|N|T|Pa|W|Ohm)|m/s|m/s\^?2|deg|rad|°C|K|%|a\.?u\.?|bpm|-|[Ss]equence|[Vv]olts?|[Aa]mp(?:ere)?s?|:?-+:?|)[\])]?"
)


def plain(text: str) -> str:
    """Return a text in one Unicode form: macOS stores accents in another."""
    return unicodedata.normalize("NFC", text)


class NoNumbersError(EdkitError):
    """A file without rows of numbers, and so without a signal."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{str(path)!r}: {why}.")
        self.name = path.name


@dataclass(frozen=True, slots=True)
class TextOptions:
    """Reading options of a text file."""

    decimal: Literal["auto", ".", ","] = "auto"
    heading: Literal["auto", "yes", "no"] = "auto"
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Layout of a file's cells: separator and lines before the rows."""

    encoding: str
    separator: str
    quote: str
    width: int  # cells of a row
    widest: int  # with empty ones
    before: int  # lines before the rows
    folded: int = 0  # of them, that continue a cell of the line above
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str | None = None
    comments: tuple[int, ...] = ()  # whole lines, from 0
    inline: bool = False  # whether a # starts a comment at the end of rows
    blank: bool = True  # whether a blank line is no row


@dataclass(frozen=True, slots=True)
class _Heading:
    """Heading in the first lines of a file."""

    path: Path
    lines: list[str]
    comments: list[int]  # indices of the lines of comments, from 0
    separator: str
    quote: str


Row = tuple[int, list[str]]  # number of its line, from 1, and its cells


def find_layout(path: Path, encoding: str, options: TextOptions, notes: list[Note]) -> Layout:
    """Return the layout of a file, from its first lines."""
    with path.open(encoding=encoding) as file:
        text = file.read(HEAD)
    lines = text.split("\n")
    lines = (lines[:-1] if len(text) == HEAD and len(lines) > 1 else lines)[: 2 * _ROWS]
    stated = re.fullmatch(r"sep=(.)", lines[0])  # Excel's
    if stated:
        lines[0] = ""
    comments = [number for number, line in enumerate(lines) if is_comment(line)]
    skipped = set(comments)
    plain = ["" if number in skipped else _bare(line) for number, line in enumerate(lines)]
    quote = "'" if re.match(r"\s*'[^']*'\s*[,;\t]", next(filter(str.strip, plain), "")) else '"'
    candidates = [stated[1]] if stated else SEPARATORS
    if options.decimal == "," and not stated and not any('"' in line for line in plain):
        candidates = [one for one in candidates if one != ","]
    tables = {mark: _rows(plain, mark, quote) for mark in candidates}
    separator = max(tables, key=lambda mark: _likelihood(tables[mark], mark))
    rows = tables[separator]
    if not rows:
        raise NoNumbersError(path, "expected rows of numbers, found none")
    if separator == "," and not stated and _one_column(path, rows, options):
        separator, rows = "\t", _rows(plain, "\t", quote)
    first, names, units = _heading(
        rows, options.heading, _Heading(path, lines, comments, separator, quote)
    )
    if first == len(rows):
        raise NoNumbersError(path, "expected rows of numbers, found its heading alone")
    data = rows[first:]
    before = data[0][0] - 1
    folded = sum(cell.count("\n") for _, cells in rows[:first] for cell in cells)
    width = len(names) or len(data[0][1])
    if names and all(len(cells) == width + 1 and cells[-1] for _, cells in data):
        names, units, width = ["", *names], ["", *units] if units else [], width + 1  # as R does
    decimal, thousands = _decimal(path, data, options.decimal, separator)
    if decimal == "," and options.decimal == "auto":
        notes.append(("columns", "decimal commas", "decimal=.", 0, False))
    if thousands:
        notes.append(("columns", f"{thousands!r} between thousands", "", 0, False))
    above = first - bool(names) - bool(units)
    notes.append(("lines", "above the heading", "", max(above, 0), True))
    widest = max(len(cells) for _, cells in rows)
    return Layout(
        encoding,
        separator,
        quote,
        width,
        max(widest, width) + 1,
        before,
        folded,
        tuple(" ".join(name.split()) for name in names),
        tuple(units),
        decimal,
        thousands,
        blank=width > 1 or _odd_ends(path),
    )


def _odd_ends(path: Path) -> bool:
    """Return whether lines end such that a blank line seems to follow each."""
    with path.open("rb") as file:
        head = file.read(4096)
    return b"\r\r\n" in head or b"\n\r" in head.replace(b"\r\n", b"")


def is_comment(line: str) -> bool:
    """Return whether a line is a comment, not a row with a gap in its first cell."""
    start = line.lstrip()
    return start[:1] in ("#", "%") and start.partition(",")[0].strip().lower() not in GAPS


def _bare(line: str) -> str:
    """Return a line of numbers without a comment at its end; "lead #1" is a name."""
    begins = line.lstrip()[:1]
    return re.sub(r"\s#.*", "", line) if "#" in line and begins in "+-.0123456789" else line


def _rows(lines: Iterable[str], separator: str, quote: str) -> list[Row]:
    """Return the rows that are not blank, with the numbers of their lines."""
    return list(each_row(lines, separator, quote, _ROWS))


def each_row(
    lines: Iterable[str], separator: str, quote: str, most: int | None = None
) -> Iterator[Row]:
    """Yield the rows that are not blank with the numbers of their lines, `most` of them."""
    if separator == " ":
        pairs: Any = ((number, _spaced(line, quote)) for number, line in enumerate(lines, 1))
    else:
        pairs = _starts(
            csv.reader(
                (f"{x}\n" for x in lines),
                delimiter=separator,
                quotechar=quote,
                skipinitialspace=True,
            )
        )
    count = 0
    try:
        for number, row in pairs:
            cells = [cell.strip() for cell in row]
            if cells and (len(cells) > 1 or cells[0]):
                yield number, cells
                count += 1
                if count == most:
                    return
    except csv.Error:  # an unlimited line
        return


def _spaced(line: str, quote: str) -> list[str]:
    """Return the cells between spaces and tabs; quoted cells may contain spaces."""
    if quote not in line:
        return line.split()
    reader = csv.reader(
        [line.replace("\t", " ").strip()], delimiter=" ", quotechar=quote, skipinitialspace=True
    )
    return next(reader, [])


def _starts(reader: Any) -> Iterator[Row]:
    """Return each row with its first line: quoted cells may continue in the next."""
    start = 1
    for row in reader:
        yield start, row
        start = reader.line_num + 1


def usual(cell: str) -> str:
    """Return a number without marks unknown to pandas: 1 234,5 becomes 1234,5."""
    if not _ODD.search(cell):
        return cell
    text = _MINUS.sub("-", cell)
    if _SPACED.fullmatch(text):
        text = re.sub(r"[^\d.,+-]", "", text)
    return _FORTRAN.sub(r"\1e\2", text) if _FORTRAN.fullmatch(text) else text


def number_of(cell: str, layout: Layout) -> float | None:
    """Return the number in a cell of a file, else None."""
    text, mark = usual(cell.strip()), layout.thousands
    if mark and mark in text:
        if not _thousands(text, mark):
            return None
        text = text.replace(mark, "")
    text = text.replace(",", ".") if layout.decimal == "," else text
    return float(text) if _DOT.fullmatch(text) else None


def _kind(cell: str) -> str:
    """Return whether a cell is a `number`, a `date`, a `gap` or a `text`."""
    if cell.lower() in GAPS:
        return "gap"
    cell = usual(cell)
    if any(one.fullmatch(cell) for one in (_DOT, _COMMA, _INFINITE, _GROUPED)):
        return "number"
    return "date" if DATE.fullmatch(cell) else "text"


def _likelihood(rows: list[Row], separator: str) -> tuple[int, bool, int, int]:
    """Return how well a separator fits: mainly the numbers and dates that it yields.

    Only rows of the usual width count; a date and its time count once.
    """
    widths = Counter(len(cells) for _, cells in rows)
    usual, same = widths.most_common(1)[0] if widths else (0, 0)
    score = 0
    for cells in (cells for _, cells in rows if len(cells) == usual):
        kinds = [_kind(cell) for cell in cells]
        score += sum(kind in ("number", "date") for kind in kinds)
        if separator == " ":
            score -= sum(pair == ("date", "date") for pair in pairwise(kinds))
    order = SEPARATORS.index(separator) if separator in SEPARATORS else 0
    return score, usual > 1, same, -order


def _one_column(path: Path, rows: list[Row], options: TextOptions) -> bool:
    """Return whether commas separate the two halves of one number, such as 0,05."""
    pairs = [cells for _, cells in rows if len(cells) == 2]
    whole = [cells for cells in pairs if re.fullmatch(r"[+-]?\d+", cells[0])]
    halves = [c[1] for c in whole if re.fullmatch(r"\d+(?:[eE][+-]?\d+)?", c[1])]
    if options.decimal == "." or len(halves) < len(rows) - 1 or not halves:
        return False
    if any(re.fullmatch(r"0\d+", one) for one in halves) or len(rows[0][1]) == 1:
        return True
    if len(halves) == len(rows) and len({len(one) for one in halves}) == 1 < len(halves[0]):
        raise EdkitError(
            f"{str(path)!r}: {','.join(rows[0][1])!r} is one number with a decimal comma, or two "
            "numbers: say decimal=, for one or decimal=. for two."
        )
    return False


def _heading(rows: list[Row], choice: str, head: _Heading) -> tuple[int, list[str], list[str]]:
    """Return the number of rows above the numbers, the heading and the units."""
    if choice == "no":
        return 0, [], []
    if choice == "yes":
        return 1, rows[0][1], []
    first = next((i for i, (_, cells) in enumerate(rows) if _is_data(cells, _kinds(rows))), None)
    if first is None:
        if len(rows) == 1:
            return 1, rows[0][1], []
        if sum(line.count(head.quote) for line in head.lines) % 2:
            raise EdkitError(
                f"{str(head.path)!r}: expected columns of numbers, found a quotation mark that is "
                "never closed: close it, or take it out."
            )
        raise NoNumbersError(
            head.path,
            "expected columns of numbers, with commas, semicolons, tabs, bars or spaces between "
            f"them, found none: line {rows[-1][0]} says {' '.join(rows[-1][1])[:40]!r}",
        )
    if first == 0:
        return _without_heading(rows, head)
    names, units = rows[first - 1][1], []
    if first > 1 and _are_units(names, rows[first - 2][1]):
        above = rows[first - 2][1]
        names, units = above, names + [""] * (len(above) - len(names))
    names = _parted(names, len(rows[first][1]), head)
    numbers = [name for name in names if _kind(name) == "number"]
    whole = all(re.fullmatch(r"\d+", name) for name in numbers)
    if numbers and not (whole and _kind(names[0]) in ("text", "gap")):
        raise _two_headings(head.path, names, rows[first - 1][0])
    return first, names, units


def _are_units(cells: list[str], above: list[str]) -> bool:
    """Return whether a row holds the units of the names above it.

    Some oscilloscopes also write numbers there; Markdown has a line.
    """
    words = [cell for cell in cells if _kind(cell) != "number"]
    names = all(_kind(cell) in ("text", "gap") for cell in above) and any(above)
    ends = len(cells) <= len(above) and not any(above[len(cells) :])
    rest = len(words) == len(cells) or any(words)
    return ends and names and rest and all(map(_UNIT.fullmatch, words))


def _parted(names: list[str], width: int, head: _Heading) -> list[str]:
    """Return names split from one cell if the heading has another separator than the rows."""
    if len(names) != 1 or width < 2:
        return names
    others = (_rows([names[0]], mark, head.quote) for mark in SEPARATORS if mark != head.separator)
    return next((r[0][1] for r in others if r and len(r[0][1]) == width and all(r[0][1])), names)


def _without_heading(rows: list[Row], head: _Heading) -> tuple[int, list[str], list[str]]:
    """Return the names in a comment just above the rows; a line of numbers may be names."""
    above = [number for number in head.comments if number < rows[0][0] - 1]
    if above:
        text = head.lines[above[-1]].lstrip()[1:]
        names = next((cells for _, cells in each_row([text], head.separator, head.quote)), [])
        if len(names) == len(rows[0][1]) and all(_kind(n) in ("text", "gap") for n in names):
            return 0, names, []
    names = rows[0][1]
    if len(rows) > 2 and len(set(names)) == len(names):
        rest = [cell for _, cells in rows[1:] for cell in cells if _kind(cell) == "number"]
        whole = re.compile(r"\d+")
        wholes = all(map(whole.fullmatch, names))
        others = not any(re.fullmatch(r"[+-]?\d+", cell) for cell in rest)
        if (wholes and others) or _steady(rows):
            raise _two_headings(head.path, names, rows[0][0])
        indexed = [cells[0] for _, cells in rows[1:]]
        if not names[0] and len(names) > 1 and all(_kind(cell) != "gap" for cell in indexed):
            return 1, names, []
    return 0, [], []


def _steady(rows: list[Row]) -> bool:
    """Return whether only the first row rises in even steps, like wavelengths of a spectrum."""
    if len(rows[0][1]) < _STEADY or not all(map(_DOT.fullmatch, rows[0][1])):
        return False
    first, *others = ([float(c) for c in cells if _DOT.fullmatch(c)] for _, cells in rows[:_STEADY])
    steps = [
        [b - a for a, b in pairwise(numbers)] for numbers in (first, *others) if len(numbers) > 1
    ]
    even = [min(each) > 0 and max(each) < 1.01 * min(each) for each in steps]
    return even[0] and not any(even[1:])


def _two_headings(path: Path, names: list[str], line: int) -> EdkitError:
    return EdkitError(
        f"{str(path)!r}: its line {line}, {','.join(names)[:60]!r}, may be a heading or numbers: "
        "say heading=yes or heading=no."
    )


def _kinds(rows: list[Row]) -> list[str]:
    """Return the commonest kind of cell in each column, over the lower half of the rows."""
    half = [cells for _, cells in rows[len(rows) // 2 :]]
    kinds = []
    for column in range(max(map(len, half))):
        counts = Counter(_kind(cells[column]) for cells in half if column < len(cells))
        del counts["gap"]
        kinds.append(counts.most_common(1)[0][0] if counts else "gap")
    return kinds


def _is_data(cells: list[str], kinds: list[str]) -> bool:
    """Return whether a row holds numbers, not text, in the columns of numbers."""
    of = [(_kind(cell), kind) for cell, kind in zip(cells, kinds, strict=False)]
    wrong = any(own not in ("gap", kind) for own, kind in of if kind in ("number", "date"))
    return not wrong and any(own == kind == "number" for own, kind in of)


def _decimal(path: Path, data: list[Row], choice: str, separator: str) -> tuple[str, str | None]:
    """Return the decimal mark and the thousands mark, inferred from the numbers."""
    cells = [usual(cell) for _, row in data for cell in row if _kind(cell) == "number"]
    commas = [cell for cell in cells if "," in cell]
    dots = [cell for cell in cells if "." in cell]
    grouped = {mark: [c for c in cells if _thousands(c, mark)] for mark in (",", ".")}
    sure = {
        ",": [c for c in commas if c.rfind(",") > c.rfind(".") and not _thousands(c, ",")],
        ".": [c for c in dots if c.rfind(".") > c.rfind(",") and not _thousands(c, ".")],
    }
    if choice != "auto":
        other = "," if choice == "." else "."
        return choice, other if grouped[other] else None
    if not commas:
        return ".", None
    if len(commas) < len(cells) and all(len(row) == 1 for _, row in data):
        raise EdkitError(
            f"{str(path)!r}: {commas[0]!r} is one number with a decimal comma, or two numbers in a "
            "row that is longer than the others: say decimal=, or decimal=. ."
        )
    if sure[","] and not sure["."]:
        return ",", "." if grouped["."] else None
    if sure["."] and not sure[","]:
        return ".", "," if grouped[","] else None
    if not sure[","] and any(cell.count(",") > 1 for cell in commas):
        return ".", ","
    if sure[","] and sure["."]:
        return ".", None  # odd cells are reported later with their place
    raise EdkitError(
        f"{str(path)!r}: {commas[0]!r} has a decimal comma, or a comma between thousands: say "
        "decimal=, or decimal=. ."
    )


def _thousands(cell: str, mark: str) -> bool:
    other = "." if mark == "," else ","
    pattern = rf"[+-]?[1-9]\d{{0,2}}(\{mark}\d{{3}})+(\{other}\d*)?"
    return re.fullmatch(pattern, cell) is not None
