"""Labels of arrays: class numbers from numbers, one-hot rows or texts; -1 for no label."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ed_core.data.memory import check_memory
from ed_plugins.datasets.arrays.files import Stored
from ed_plugins.datasets.arrays.options import ArrayOptions, UnfitError

_CLASSES = 32768
_NONE = 255  # no class in many data sets of bytes, or -1 cast to a byte
_BELOW = 200  # largest number of classes beside which 255 means no class
_GREY = 64  # from this range of numbers on, with few in use, 255 may be white
MANY = 100  # number of classes from which they may be values
_LISTED = 5  # missing class numbers listed in a message


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a field.

    Args:
        parts: of each split, (samples,) or (samples, height, width); -1 is no label.
        classes: their names.
        texts: findings, such as how many have no label, each with the option that changes it.
    """

    parts: list[np.ndarray]
    classes: tuple[str, ...]
    texts: tuple[tuple[str, str], ...] = ()


def read_labels(name: str, parts: Sequence[Stored], options: ArrayOptions) -> Labels:
    """Return the labels of a field.

    Args:
        name: of the field.
        parts: its array in each split, (samples, ...).
        options: what the user says.

    Raises:
        UnfitError: the numbers or texts are no labels, or two readings are as good.
    """
    labels = _read_labels(name, parts, options)
    return replace(labels, texts=(*labels.texts, *_only_elsewhere(parts, labels)))


def _only_elsewhere(parts: Sequence[Stored], labels: Labels) -> list[tuple[str, str]]:
    """Return the finding about classes that occur only in other splits than the first."""
    if len(parts) < 2 or labels.parts[0].ndim > 1:
        return []
    first, *others = ({*np.unique(part).tolist()} - {-1} for part in labels.parts)
    lost = sorted(set().union(*others) - first)
    which = ", ".join(labels.classes[number] for number in lost[:_LISTED])
    where = parts[0].where.rpartition("array ")[2]
    text = f"{which}{', ...' * (len(lost) > _LISTED)} in other splits alone, never in {where}"
    return [(text, "")] if lost else []


def _read_labels(name: str, parts: Sequence[Stored], options: ArrayOptions) -> Labels:
    classes = next(filter(None, (part.classes for part in parts)), ())
    if all(part.is_text for part in parts):
        return _of_texts(parts, classes)
    if any(part.is_text for part in parts):
        raise UnfitError(parts[0].where, "expected text in all splits, or numbers in all")
    if _has_rows(parts[0]):
        labels, rows = [_from_one_hot(name, part) for part in parts], parts[0].shape[-1]
        if max(label.max(initial=-1) for label in labels) < 0:
            raise UnfitError(parts[0].where, "expected labels, found none")
        names = classes or tuple(map(str, range(rows)))
        if rows != len(names):
            raise UnfitError(
                parts[0].where, f"expected {len(names)} columns, a class each, found {rows}"
            )
        return Labels(labels, names)
    return _of_numbers(name, parts, classes, options.ignore.get(name, options.ignore.get("")))


def _has_rows(part: Stored) -> bool:
    return len(part.shape) in (2, 4) and part.shape[-1] > 1


def shape_of_labels(part: Stored) -> tuple[int, ...]:
    """Return (samples, ...) without axes of one: labels (N, 1), and maps (N, H, W, 1)."""
    shape = part.shape
    if len(shape) == 4 and shape[-1] == 1 and prod(shape[1:]) > 1:
        return shape[:-1]
    return shape if len(shape) == 3 and prod(shape[1:]) > 1 else shape[:1]


def _of_texts(parts: Sequence[Stored], names: tuple[str, ...]) -> Labels:
    """Return the labels of texts: the classes are the sorted texts, "" is no label."""
    texts = [np.concatenate([block.ravel() for block in part.blocks()]) for part in parts]
    stripped = [np.char.strip(text) for text in texts]
    texts_found = sorted({str(one) for text in stripped for one in np.unique(text)} - {""})
    if not texts_found:
        raise UnfitError(parts[0].where, "expected labels, found empty texts alone")
    if any(prod(part.shape) != part.shape[0] for part in parts):
        raise UnfitError(parts[0].where, f"expected a text a sample, found {parts[0].shape}")
    if names and (strange := [one for one in texts_found if one not in names]):
        raise UnfitError(
            parts[0].where,
            f"expected the classes {', '.join(names)[:80]}, found {strange[0][:40]!r}",
        )
    classes = names or tuple(texts_found)
    order = {one: number for number, one in enumerate(classes)} | {"": -1}
    labels = []
    for text in stripped:
        values, which = np.unique(text, return_inverse=True)
        numbers = np.array([order[str(value)] for value in values])
        labels.append(numbers.astype(np.min_scalar_type(-len(classes)))[which.ravel()])
    missing = sum(int((label < 0).sum()) for label in labels)
    note = f"the classes are the texts {', '.join(classes[:5])}{', ...' * (len(classes) > 5)}"
    empty = [(f"{missing:,} empty texts are no label", "")] if missing else []
    return Labels(labels, classes, (*([(note, "")] if not names else []), *empty))


def count_texts(parts: Sequence[Stored]) -> tuple[int, int]:
    """Return the number of different texts and the number of all texts."""
    different = {str(one) for part in parts for block in part.blocks() for one in np.unique(block)}
    return len(different), sum(prod(part.shape) for part in parts)


def _of_numbers(
    name: str, parts: Sequence[Stored], names: tuple[str, ...], ignored: tuple[int, ...] | None
) -> Labels:
    """Return the labels of numbers, read once to count them and once to convert them."""
    for part in parts:
        _check_room(part, 1)
    counts, marks = _counts(name, parts, ignored)
    texts = [(f"{count:,} of {mark} are no label", "") for mark, count in marks.items()]
    used = sorted(counts)
    where = parts[0].where
    none = {-1} & set(used)
    mapping: dict[int, int] = {}
    if ignored == () and none and not (marks or names):
        mapping, names, none = dict(zip(used, range(len(used)), strict=True)), _texts(used), set()
    elif ignored is not None:
        none |= set(ignored) & set(used)
    elif used == [-1, 1] and not names:
        mapping, names, none = {-1: 0, 1: 1}, ("-1", "1"), set()
        texts.append(("-1 and 1 are two classes", "ignore=-1"))
    elif not names:
        none |= _none_of(used, where)
        if used == [0, _NONE]:
            mapping, names = {_NONE: 1}, ("0", str(_NONE))
            texts.append((f"0 and {_NONE} are two classes", f"ignore={_NONE}"))
    for value in sorted(none):
        if count := counts[value] - (sum(marks.values()) if value == -1 else 0):
            texts.append((f"{count:,} of {value} are no label", "ignore=none"))
        mapping[value] = -1
    numbers = [mapping.get(value, value) for value in used if value not in none]
    if not numbers:
        raise UnfitError(where, "expected labels, found none")
    _check_count(name, max(numbers), names, where)
    if not names:
        texts += _class_findings(name, numbers, len(parts[0].shape) <= 2)
    labels = [
        _class_numbers(part, mapping, np.min_scalar_type(-1 - max(numbers))) for part in parts
    ]
    return Labels(labels, names or _texts(range(max(numbers) + 1)), (*texts,))


def _texts(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(map(str, numbers))


def _class_findings(name: str, numbers: Collection[int], single: bool) -> list[tuple[str, str]]:
    """Return the findings about class numbers: some never occur, or they may be values."""
    most = max(numbers)
    lost = sorted({*range(most + 1)} - {*numbers})
    which = ", ".join(map(str, lost)) if len(lost) <= _LISTED else f"{len(lost):,} of them"
    never = f": {which} never occur{'s' * (len(lost) == 1)}" * bool(lost)
    if single and most >= MANY:
        return [(f"{most + 1} classes, unless they are values{never}", f"kind={name}:value")]
    return [(f"{most + 1} classes{never}", "")] if lost else []


def _check_count(name: str, most: int, names: tuple[str, ...], where: str) -> None:
    count = len(names) or _CLASSES
    if most >= count:
        remedy = "" if names else f"; if they are values, say kind={name}:value"
        raise UnfitError(where, f"expected labels from 0 to {count - 1}, found {most}{remedy}")


def _counts(
    name: str, parts: Sequence[Stored], ignored: tuple[int, ...] | None
) -> tuple[dict[int, int], dict[str, int]]:
    """Return how often each number occurs, other marks for no label counted as -1.

    Raises:
        UnfitError: a number is no class.
    """
    counts: dict[int, int] = {}
    marks: dict[str, int] = {}
    for part in parts:
        first = 0
        for plain in part.blocks():
            block = _marked(plain)
            if block is not plain and (count := int((block != plain).sum())):
                mark = "NaN" if plain.dtype.kind == "f" else str(np.iinfo(plain.dtype).max)
                marks[mark] = marks.get(mark, 0) + count
            _check_labels(name, block, first, part.where, ignored or ())
            if part.dtype == np.uint8:
                histogram = _histogram(block)
                pairs = [(int(value), int(histogram[value])) for value in np.flatnonzero(histogram)]
            else:
                values, numbers = np.unique(block, return_counts=True)
                pairs = [(int(v), int(n)) for v, n in zip(values, numbers, strict=True)]
            for value, number in pairs:
                counts[value] = counts.get(value, 0) + number
            first += len(block)
    return counts, marks


def _histogram(block: np.ndarray) -> np.ndarray:
    """Return how often each byte occurs in a block, (256,): counted in pairs, four times faster."""
    flat = np.ascontiguousarray(block).reshape(-1)
    even = len(flat) // 2 * 2
    pairs = np.bincount(flat[:even].view("uint16"), minlength=2**16).reshape(2**8, 2**8)
    counts = pairs.sum(axis=0) + pairs.sum(axis=1)
    counts[flat[even:]] += 1
    return counts


def _marked(block: np.ndarray) -> np.ndarray:
    """Return numbers with -1 for NaN and for a -1 that was cast to an unsigned type."""
    if block.dtype.kind == "f":
        gaps = np.isnan(block)
        return np.where(gaps, -1, block) if gaps.any() else block
    most = np.iinfo(block.dtype).max if block.dtype.kind == "u" else 0
    if most <= _NONE or not (block == most).any():
        return block
    return np.where(block == most, -1, block.astype("int64"))


def _check_labels(
    name: str, block: np.ndarray, first: int, where: str, ignored: tuple[int, ...]
) -> None:
    """Raise UnfitError if a block, whose first sample has this number, holds other than classes."""
    if block.dtype.kind == "b" or block.dtype == np.uint8:
        return
    bad = ~np.isfinite(block) | (block < -1) | (block > _CLASSES) | (block != np.floor(block))
    if ignored:
        bad &= ~np.isin(block, ignored)
    if bad.any():
        row = int(np.argmax(bad.reshape(len(block), -1).any(axis=1)))
        raise UnfitError(
            where,
            f"expected labels 0, 1, ... or -1 for none, found {block[bad][0]} in sample "
            f"{first + row}; if they are values, say kind={name}:value",
        )


def _none_of(used: list[int], where: str) -> set[int]:
    """Return {255} if it is so far above the classes that it means no class."""
    others = [value for value in used if 0 <= value < _NONE]
    if used[-1] != _NONE or not others or others == [0] or others[-1] == _NONE - 1:
        return set()
    if others[-1] > _BELOW or (others[-1] >= _GREY and 2 * len(others) < others[-1]):
        raise UnfitError(
            where,
            f"expected classes from 0 up, found {len(others)} of 0 to {others[-1]} and {_NONE}: "
            f"say ignore={_NONE} if {_NONE} marks what has no label, ignore=none if it is a class",
        )
    return {_NONE}


def _class_numbers(part: Stored, mapping: dict[int, int], type_: np.dtype) -> np.ndarray:
    """Return the class numbers of an array in the smallest type, read some samples at a time."""
    shape = shape_of_labels(part)
    _check_room(part, type_.itemsize)
    labels, first = np.empty(shape, type_), 0
    change = _change(mapping)
    for block in map(_marked, part.blocks()):
        rows = slice(first, first + len(block))
        labels[rows] = change(block).reshape(labels[rows].shape)
        first += len(block)
    return labels


def _check_room(part: Stored, size: int) -> None:
    """Raise an error if labels of so many bytes each do not fit into memory."""
    needed = prod(shape_of_labels(part)) * size
    check_memory(needed, part.where, "give a file of fewer samples, or without this array")


def _change(mapping: dict[int, int]) -> Callable[[np.ndarray], np.ndarray]:
    def change(block: np.ndarray) -> np.ndarray:
        if not mapping:
            return block
        changed = block.astype("int64")
        for value, number in mapping.items():
            changed[block == value] = number
        return changed

    return change


def _from_one_hot(name: str, part: Stored) -> np.ndarray:
    """Return the class numbers of one-hot rows or pixels; -1 for those of -1."""
    labels: list[np.ndarray] = []
    for block in part.blocks():
        good = is_one_hot(block)
        if not good.all():
            row = tuple(np.argwhere(~good)[0])
            first = sum(len(one) for one in labels)
            several = block.ndim == 2 and bool(((block == 0) | (block == 1)).all())
            raise UnfitError(part.where, _not_one_hot(name, block, row, first, several), several)
        numbers = np.where((block == -1).all(axis=-1), -1, block.argmax(axis=-1))
        labels.append(numbers.astype(np.min_scalar_type(-block.shape[-1])))
    return np.concatenate(labels)


def _not_one_hot(
    name: str, block: np.ndarray, row: tuple[Any, ...], first: int, several: bool
) -> str:
    """Return the error about a row that is no class.

    Args:
        name: of the field.
        block: some samples.
        first: number of the block's first sample.
        row: index in the block.
        several: whether the rows say yes or no to several classes.
    """
    expected = "expected rows with a single 1, or of -1 alone for no label, found"
    where = f"in row {first + row[0]}"
    if several:
        yes = f"{block.shape[1]} of yes or no with {int(block[row].sum())} of yes"
        return f"{expected} {yes} {where}: no model takes several classes of a sample"
    row_text = f"{str(block[row].tolist())[:60]} {where}"
    other = "image" if block.ndim == 4 else "value"
    return f"{expected} {row_text}; say kind={name}:{other} if they are no classes"


def is_one_hot(rows: np.ndarray) -> np.ndarray:
    """Return a mask (...,) of rows (..., classes) with a single 1 among zeros, or of -1 alone."""
    hot = ((rows == 0) | (rows == 1)).all(axis=-1) & (rows.sum(axis=-1) == 1)
    return hot | (rows == -1).all(axis=-1)
