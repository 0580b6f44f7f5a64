"""The plan of a folder: its TOML file, checked."""

import codecs
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ed_core import EdkitError
from ed_core.spec import FieldKind
from ed_plugins._folder_rules import BACKSLASHES, KEYS, TOP, check, many

Pixel = int | str  # a class id, or a colour such as "#ff0000"

_LARGEST = 2**20  # bytes of a TOML file


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """How the images of one field are read.

    Args:
        folder: the name of its folders.
        kind: `image` (0..1), `class` (a class a pixel) or `value` (a number a pixel).
        page: that is read of each file, from 1; "all" for pages as bands, "" where there is one.
        bands: that are read, from 1, in this order; "all" for all with transparency; () for the
            usual ones.
        upright: whether images are turned as their orientation says.
        channels: of an image, 1 or 3; 0 for what the files have.
        background: the colour under an image's transparent pixels; "" for white.
        bits: that an image uses of each number; 0 where the files show it.
        range: the numbers that stand for 0 and 1 in an image; () for those of the bits.
        classes: name to the pixels of that class: ids, or colours.
        colours: that the classes are shown in.
        ignore: pixels without a class: ids, or colours.
        scale: a value is what the file says times this ...
        offset: ... plus this.
        missing: what the file says where there is no value.
        fill: what stands for a missing value: a number, or "nearest" for that of the nearest pixel.
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

    @property
    def first_page(self) -> int:
        """The page that is read, from 0."""
        return self.page - 1 if isinstance(self.page, int) else 0

    @property
    def partial(self) -> bool:
        """Whether a pixel may be without a target."""
        return bool(self.ignore) or (self.missing is not None and self.fill is None)


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """A folder of images.

    Args:
        path: of the TOML file.
        root: the folder, as the file says it.
        layout: where a split's images of a field are, with {split} and {field}.
        size: (height, width) that all images are brought to, or () for their own.
        splits: split to the name of its folders; empty for the usual names.
        fields: name to how it is read.
        group: what stands behind the name of a group in file names; "" where there are no groups.
    """

    path: Path
    root: str
    layout: str
    size: tuple[int, ...]
    splits: Mapping[str, str]
    fields: Mapping[str, FieldPlan]
    group: str = ""


def read_plan(path: Path) -> FolderPlan:
    """Return what a TOML file says; raises EdkitError that names file and key."""
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
    return FolderPlan(
        path,
        facts.get("root", "."),
        facts.get("layout", "{split}/{field}"),
        tuple(facts.get("size", ())),
        facts.get("splits", {}),
        fields,
        facts.get("group", ""),
    )


def _field(name: str, entry: Any, where: str) -> FieldPlan:
    if not isinstance(entry, dict):
        raise EdkitError(f"{where}: expected a table of its own, found {str(entry)[:80]!r}.")
    if not name.isidentifier():
        raise EdkitError(f"{where}: expected a name of letters, digits and _.")
    kind = entry.get("kind", "image")
    if kind not in [*KEYS]:  # a list, since what TOML says may have no hash
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
    shown = [pixels[0] for pixels in classes.values() if isinstance(pixels[0], str)]
    colours = tuple(entry.get("colours", shown))
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
    """Return in our words why a text is no TOML, with what tomllib says."""
    if isinstance(error, OSError):
        return str(error.strerror or error)
    if not isinstance(error, tomllib.TOMLDecodeError):
        return "brackets too deep" if isinstance(error, RecursionError) else str(error)
    said = " ".join(str(error).split())[:120]
    found = re.search(r"at line (\d+)", said)
    line = text.splitlines()[int(found[1]) - 1].strip()[:80] if found else ""
    advice = "expected KEY = VALUE with texts in quotes, and tables such as [fields.image]"
    if re.search(r'"[^"]*\\', line):
        advice = f"expected no backslash between double quotes: {BACKSLASHES}"
    return f"{advice}; found {line!r} ({said})" if line else f"{advice} ({said})"


def _classes(entry: Any) -> dict[str, tuple[Pixel, ...]]:
    """Return name to pixels, from a table, or from a list in the order of the ids."""
    if isinstance(entry, list):
        return {name: (number,) for number, name in enumerate(entry)}
    return {name: tuple(map(_pixel, many(pixels))) for name, pixels in entry.items()}


def _pixel(pixel: Pixel) -> Pixel:
    return pixel.lower() if isinstance(pixel, str) else pixel
