"""The keys of a folder's TOML file, and what each may hold."""

import re
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from ed_core import EdkitError
from ed_core.errors import unknown

Rules = Mapping[str, tuple[Callable[[Any], bool], str]]  # key to a test and what passes it

_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
BACKSLASHES = "write a path with backslashes in 'single quotes', or with / instead"


def check(entry: Mapping[str, Any], rules: Rules, where: str) -> None:
    """Raise EdkitError for the first key that is unknown or whose value is wrong."""
    for key, value in entry.items():
        if key not in rules:
            raise unknown(f"key in {where}:", key, rules)
        passes, expected = rules[key]
        if not passes(value):
            found = " ".join(repr(value).split())[:80]
            hint = f": {BACKSLASHES}" if _CONTROL.search(str(value)) else ""
            raise EdkitError(f"{where}: {key} is {expected}; found {found}{hint}.")


def many(entry: Any) -> list[Any]:
    """Return a list, or what is none as a list of one."""
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
    """Whether it is a text; one with a tab or the like was a path with backslashes."""
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
        lambda v: _is_text(v) and "{split}" in v and "{field}" in v,
        'a text with {split} and {field}, such as "{split}/{field}"',
    ),
    "size": (
        lambda v: isinstance(v, list) and len(v) == 2 and all(_is_whole(n, 1, 16384) for n in v),
        "[HEIGHT, WIDTH] in pixels",
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
        **_ONE_BAND,
        "scale": (lambda v: _is_number(v) and v != 0, "a number other than 0"),
        "offset": (_is_number, "a number"),
        "missing": (lambda v: _is_number(v, inf), "a number"),
        "fill": (lambda v: v == "nearest" or _is_number(v), 'a number or "nearest"'),
    },
}
