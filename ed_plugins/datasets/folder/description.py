"""Description of a folder of images: its TOML file, checked."""

import codecs
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from ed_core import EdkitError
from ed_core.errors import unknown
from ed_core.plugins.spec import FieldKind
from ed_plugins.datasets.folder.pixels import Framing

Rules = Mapping[
    str, tuple[Callable[[Any], bool], str]
]  # key to a test and a description of valid values
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_AS_THEY_ARE = (
    *("tile", "overlap", "standardise", "nested", "split", "test", "seed", "table", "names"),
    "split_column",
)
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
BACKSLASHES = "write a path with backslashes in 'single quotes', or with / instead"
FITS = ("stretch", "crop", "pad")
SPLITTING = ("random", "last")
GROUP = "{group}"  # any folder that holds the folders of the fields
FROM_FOLDERS = "{class}"  # the folder of a field whose classes are the names of folders
Pixel = int | str  # a class id, or a colour such as "#ff0000"
LONGEST = 16384  # pixels of a side
_LARGEST = 2**20  # bytes of a TOML file


def check(entry: Mapping[str, Any], rules: Rules, where: str) -> None:
    """Raise EdkitError for the first key that is unknown or whose value is wrong."""
    for key, value in entry.items():
        if key not in rules:
            raise unknown(f"key in {where}:", key, rules)
        passes, expected = rules[key]
        if not passes(value):
            received = " ".join(repr(value).split())[:80]
            hint = f": {BACKSLASHES}" if _CONTROL.search(str(value)) else ""
            raise EdkitError(f"{where}: {key} is {expected}; found {received}{hint}.")


def many(entry: Any) -> list[Any]:
    """Return a list as it is, any other value as a list of one."""
    return entry if isinstance(entry, list) else [entry]


def _is_pixels(value: Any) -> bool:
    return all(_is_colour(pixel) or _is_whole(pixel, 0, 65535) for pixel in many(value))


def _is_classes(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_text(name) for name in value) and len({*value}) == len(value)
    return (
        isinstance(value, dict)
        and bool(value)
        and all(_is_pixels(pixels) and pixels != [] for pixels in value.values())
    )


def _is_colour(value: Any) -> bool:
    return isinstance(value, str) and bool(_COLOUR.fullmatch(value))


def _is_text(value: Any) -> bool:
    """Return whether it is a text without control characters, which stem from backslashes."""
    return isinstance(value, str) and bool(value) and not _CONTROL.search(value)


def _is_whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_is_number, value))
        and (value[0] < value[1])
    )


def _is_bands(value: Any, most: int) -> bool:
    return value == "all" or (
        isinstance(value, list)
        and 0 < len(value) <= most
        and all(_is_whole(band, 1, 65535) for band in value)
    )


def _is_number(value: Any, most: float = 1e30) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) > most


TOP: Rules = {
    "root": (_is_text, "a folder"),
    "layout": (
        lambda v: _is_text(v) and "{" not in re.sub(r"\{(split|field|class|group)\}", "", v),
        "a path in which {split}, {field}, {class} and {group} may stand, such as "
        '"{split}/{field}"',
    ),
    "nested": (lambda v: isinstance(v, bool), "true to read folders in folders as well, or false"),
    "split": (
        lambda v: isinstance(v, str) and v in SPLITTING,
        "random or last: which fifth is the test, where no folders say it",
    ),
    "test": (_is_text, 'a pattern of the test files\' names, such as "*_[0-4]"'),
    "seed": (lambda v: _is_whole(v, 0, 2**31), "a whole number from 0"),
    "table": (_is_text, "a CSV file below the root"),
    "names": (_is_text, "the column of the table that names the files"),
    "split_column": (_is_text, "the column of the table that says train, validation or test"),
    "size": (
        lambda v: isinstance(v, list) and len(v) == 2 and all(_is_whole(n, 1, LONGEST) for n in v),
        "[HEIGHT, WIDTH] in pixels",
    ),
    "fit": (
        lambda v: isinstance(v, str) and v in FITS,
        "stretch, crop or pad: how images of other proportions are brought to the size",
    ),
    "tile": (
        lambda v: _is_whole(v, 8, LONGEST),
        "the side of the tiles that images are cut into, in pixels, from 8",
    ),
    "overlap": (lambda v: _is_whole(v, 0, LONGEST), "a number of pixels that neighbours share"),
    "standardise": (
        lambda v: isinstance(v, bool),
        "true to bring each image to one mean and one deviation, or false",
    ),
    "group": (_is_text, 'what stands behind the name of a group in file names, such as "_"'),
    "splits": (
        lambda v: isinstance(v, dict) and all(_is_text(folder) for folder in v.values()),
        'a table such as train = "training"',
    ),
    "fields": (lambda v: isinstance(v, dict), "tables such as [fields.image]"),
}
_ANY: Rules = {
    "folder": (lambda v: v == "" or _is_text(v), "the name of a folder"),
    "suffix": (_is_text, 'what stands behind the names of the first field\'s files, as "_mask"'),
    "kind": (_is_text, "image, class or value"),
    "page": (lambda v: _is_whole(v, 1, 2**31), "the number of a page, from 1"),
    "upright": (
        lambda v: isinstance(v, bool),
        "true to turn images as their orientation says, or false",
    ),
}
_BACKGROUND: Rules = {
    "background": (_is_colour, 'a colour under transparent pixels, such as "#ffffff"')
}
_COLUMN: Rules = {"column": (_is_text, "a column of the table")}
_ONE_BAND: Rules = {
    "bands": (lambda v: v != "all" and _is_bands(v, 1), "the number of one band, such as [1]")
}
KEYS: dict[str, Rules] = {
    "image": {
        **_ANY,
        **_BACKGROUND,
        "page": (
            lambda v: v == "all" or _is_whole(v, 1, 2**31),
            'the number of a page, from 1, or "all" to have pages as bands',
        ),
        "bands": (
            lambda v: _is_bands(v, 65535),
            'the numbers of bands, from 1, such as [4, 3, 2], or "all"',
        ),
        "range": (_is_range, "[LOW, HIGH], the numbers that stand for 0 and 1"),
        "channels": (lambda v: _is_whole(v, 1, 3) and v != 2, "1 or 3"),
        "bits": (lambda v: _is_whole(v, 1, 16), "a whole number from 1 to 16"),
    },
    "class": {
        **_ANY,
        **_BACKGROUND,
        **_COLUMN,
        **_ONE_BAND,
        "classes": (
            _is_classes,
            "names in the order of their ids, or a table such as water = 1, trees = [2, 5] or "
            'road = "#808080"',
        ),
        "colours": (
            lambda v: isinstance(v, list) and all(map(_is_colour, v)),
            'colours such as "#0072b2", one a class',
        ),
        "ignore": (_is_pixels, 'ids from 0 to 65535, or colours such as "#000000"'),
    },
    "value": {
        **_ANY,
        **_COLUMN,
        **_ONE_BAND,
        "scale": (lambda v: _is_number(v) and v != 0, "a number other than 0"),
        "offset": (_is_number, "a number"),
        "missing": (lambda v: _is_number(v, inf), "a number"),
        "fill": (lambda v: v == "nearest" or _is_number(v), 'a number or "nearest"'),
    },
}


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """Reading options of the images of one field.

    Args:
        folder: the name of its folders.
        kind: `image` (0..1), `class` (a class a pixel) or `value` (a number a pixel).
        page: read from each file, from 1; "all" for pages as bands, "" if there is one.
        bands: read, from 1, in this order; "all" for all with transparency; () for the usual ones.
        upright: whether images are turned upright by their orientation.
        channels: of an image, 1 or 3; 0 for those of the files.
        background: the colour under an image's transparent pixels; "" for white.
        bits: in use of each number of an image; 0 to infer it from the files.
        range: the numbers that stand for 0 and 1 in an image; () for those of the bits.
        classes: name to the pixels of that class: ids, or colours.
        colours: of the classes.
        ignore: pixels without a class: ids, or colours.
        scale: factor from the file's numbers to values.
        offset: added after scaling.
        missing: the file's number for no value.
        fill: replaces missing values: a number, or "nearest" for the nearest pixel's value.
        suffix: behind the names of the first field's files; "" where they are the same.
        column: of the table, of a field of one class or value a sample; "" for a field of files.
    """

    folder: str
    kind: FieldKind = "image"
    page: int | str = ""
    bands: tuple[int, ...] | str = ()
    upright: bool = True
    channels: int = 0
    background: str = ""
    bits: int = 0
    range: tuple[float, ...] = ()
    classes: Mapping[str, tuple[Pixel, ...]] = field(default_factory=dict)
    colours: tuple[str, ...] = ()
    ignore: tuple[Pixel, ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    missing: float | None = None
    fill: float | str | None = None
    suffix: str = ""
    column: str = ""

    @property
    def is_label(self) -> bool:
        """Whether it has one number a sample, from a table or from the names of folders."""
        return bool(self.column) or self.folder == FROM_FOLDERS

    @property
    def first_page(self) -> int:
        """The page to read, from 0."""
        return self.page - 1 if isinstance(self.page, int) else 0

    @property
    def partial(self) -> bool:
        """Whether pixels may lack a target."""
        return bool(self.ignore) or (self.missing is not None and self.fill is None)


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """Description of a folder of images.

    Args:
        path: of the TOML file.
        root: the folder, as written in the file.
        layout: path of a split's images of a field, with {split} and {field}.
        frame: the size that all images are brought to, and how.
        splits: split to the name of its folders; empty for the usual names.
        fields: name to its reading options.
        group: separator after a group's name in file names; "" if there are no groups.
        standardise: whether each image is brought to one mean and one deviation.
        tile: the side of the tiles that images are cut into, in pixels; 0 takes whole images.
        overlap: pixels that neighbouring tiles share.
        nested: whether images lie in folders of folders.
        split: which fifth is the test, where the layout has no {split}: `random` or `last`.
        test: pattern of the names of the test files; "" for a fifth.
        seed: of the choice of a fifth.
        table: of labels, a CSV file below the root; "" without one.
        names: the column of the table that names the files.
        split_column: the column of the table that says the splits; "" where they are drawn, or said
            by folders.
        bare: whether no file states it, and it was inferred from the folder.
    """

    path: Path
    root: str
    layout: str
    frame: Framing
    splits: Mapping[str, str]
    fields: Mapping[str, FieldPlan]
    group: str = ""
    standardise: bool = False
    tile: int = 0
    overlap: int = 0
    nested: bool = False
    split: str = "random"
    test: str = ""
    seed: int = 0
    table: str = ""
    names: str = ""
    split_column: str = ""
    bare: bool = False

    @property
    def toml(self) -> str:
        """Name of the file that states it, for messages and findings."""
        advice = " (edkit data FOLDER --write)" * self.bare
        return f"{self.path.name}{advice}"

    @property
    def pictures(self) -> dict[str, FieldPlan]:
        """The fields of files, by name."""
        return {name: plan for name, plan in self.fields.items() if not plan.is_label}

    @property
    def labels(self) -> dict[str, FieldPlan]:
        """The fields of one number a sample, by name."""
        return {name: plan for name, plan in self.fields.items() if plan.is_label}


def read_plan(path: Path) -> FolderPlan:
    """Return the description in a TOML file; raise EdkitError that names file and key."""
    text = ""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST:,} bytes")
        text = _decoded(path.read_bytes())
        facts = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise EdkitError(f"{str(path)!r} cannot be read as TOML: {_why(text, error)}.") from error
    where = f"{str(path)!r}"
    check(facts, TOP, where)
    fields = {}
    for name, entry in facts["fields"].items() if facts.get("fields") else ():
        fields[name] = _field(name, entry, f"{where}, field {name!r}")
    if not fields:
        raise EdkitError(f"{where}: expected a table such as [fields.image], found none.")
    _check_layout(facts, fields, where)
    return FolderPlan(
        path,
        facts.get("root", "."),
        facts.get("layout", "{split}/{field}"),
        Framing(tuple(facts.get("size", ())), facts.get("fit", "stretch")),
        facts.get("splits", {}),
        fields,
        facts.get("group", ""),
        **{key: facts[key] for key in _AS_THEY_ARE if key in facts},
    )


def _check_layout(facts: Mapping[str, Any], fields: Mapping[str, FieldPlan], where: str) -> None:
    """Raise EdkitError where layout, table and fields contradict each other."""
    layout = facts.get("layout", "{split}/{field}")
    pictures = [name for name, plan in fields.items() if not plan.is_label]
    classes = [name for name, plan in fields.items() if plan.folder == FROM_FOLDERS]
    if not pictures:
        raise EdkitError(f"{where}: expected a field of images, found only {', '.join(fields)}.")
    if len(pictures) > 1 and "{field}" not in layout:
        raise EdkitError(
            f"{where}: layout is a path with {{field}} for {', '.join(pictures)}, found {layout!r}."
        )
    if len(classes) != layout.count(FROM_FOLDERS):
        raise EdkitError(
            f'{where}: expected a field with folder = "{{class}}" for a layout with {{class}}, '
            f"and none without, found layout {layout!r} and {', '.join(classes) or 'none'}."
        )
    if "table" not in facts and (columns := [n for n, plan in fields.items() if plan.column]):
        raise EdkitError(f"{where}: field {columns[0]!r} has a column: say of which table.")
    if "split_column" in facts and ("table" not in facts or "{split}" in layout):
        raise EdkitError(
            f"{where}: expected split_column with a table, and with a layout without {{split}}."
        )


def _field(name: str, entry: Any, where: str) -> FieldPlan:
    if not isinstance(entry, dict):
        raise EdkitError(f"{where}: expected a table of its own, found {str(entry)[:80]!r}.")
    if not name.isidentifier():
        raise EdkitError(f"{where}: expected a name of letters, digits and _.")
    kind = entry.get("kind", "image")
    if kind not in [*KEYS]:  # a list, since values of TOML may be unhashable
        raise EdkitError(f"{where}: kind is {' or '.join(KEYS)}, found {kind!r}.")
    check(entry, KEYS[kind], where)
    entry = {k: tuple(v) if k in ("bands", "range") and v != "all" else v for k, v in entry.items()}
    if "range" in entry and "bits" in entry:
        raise EdkitError(f"{where}: expected range or bits, found both: leave bits out.")
    if kind != "class":
        return FieldPlan(**{"folder": name, **entry})
    if "classes" not in entry:
        raise EdkitError(f"{where}: expected classes, found none.")
    classes = _classes(entry["classes"])
    ignore = tuple(_pixel(pixel) for pixel in many(entry.get("ignore", [])))
    pixels = [pixel for pixels in classes.values() for pixel in pixels] + [*ignore]
    if len(set(pixels)) < len(pixels):
        twice = next(pixel for pixel in pixels if pixels.count(pixel) > 1)
        raise EdkitError(f"{where}: {twice!r} is given twice; expected each id or colour once.")
    if len({type(pixel) for pixel in pixels}) > 1:
        raise EdkitError(f"{where}: expected ids alone or colours alone, found both: {pixels[:8]}.")
    colour_pixels = [pixels[0] for pixels in classes.values() if isinstance(pixels[0], str)]
    colours = tuple(entry.get("colours", colour_pixels))
    if colours and len(colours) != len(classes):
        raise EdkitError(
            f"{where}: expected a colour for each of {len(classes)} classes, found {len(colours)}."
        )
    return FieldPlan(
        **{"folder": name, **entry, "classes": classes, "colours": colours, "ignore": ignore}
    )


def _decoded(content: bytes) -> str:
    """Return the text of a TOML file, which may begin with a byte order mark."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content:
        raise ValueError("expected text in UTF-8, found UTF-16: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"expected text in UTF-8, found the byte 0x{content[error.start]:02x} in line {line}: "
            "save it as UTF-8"
        ) from error


def _why(text: str, error: Exception) -> str:
    """Return a plain reason why a text is no TOML, with tomllib's message."""
    if isinstance(error, OSError):
        return str(error.strerror or error)
    if not isinstance(error, tomllib.TOMLDecodeError):
        return "brackets too deep" if isinstance(error, RecursionError) else str(error)
    message = " ".join(str(error).split())[:120]
    line_match = re.search(r"at line (\d+)", message)
    line = text.splitlines()[int(line_match[1]) - 1].strip()[:80] if line_match else ""
    advice = "expected KEY = VALUE with texts in quotes, and tables such as [fields.image]"
    if re.search(r'"[^"]*\\', line):
        advice = f"expected no backslash between double quotes: {BACKSLASHES}"
    return f"{advice}; found {line!r} ({message})" if line else f"{advice} ({message})"


def _classes(entry: Any) -> dict[str, tuple[Pixel, ...]]:
    """Return name to pixels, from a table, or from a list in the order of the ids."""
    if isinstance(entry, list):
        return {name: (number,) for number, name in enumerate(entry)}
    return {name: tuple(map(_pixel, many(pixels))) for name, pixels in entry.items()}


def _pixel(pixel: Pixel) -> Pixel:
    return pixel.lower() if isinstance(pixel, str) else pixel
