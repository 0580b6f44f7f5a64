"""Scale of images and videos: the numbers that stand for black and white."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ed_core import EdkitError, Findings
from ed_core.data.lazy import Rows
from ed_plugins.datasets._lazy import LazyView, native
from ed_plugins.datasets._void import is_apart, is_void, may_be_void
from ed_plugins.datasets.arrays.files import Stored
from ed_plugins.datasets.arrays.options import ArrayOptions, OptionError, RunScale, UnfitError

_BITS = (8, 10, 12, 14, 16)
HAIR = 1 / 255  # overshoot beyond 0 and 1 from rounding or resizing
_SEEN = 512  # bytes sampled to tell that an image of bytes is not dark
_TYPES = {"b": "bytes", "i": "whole", "u": "whole", "f": "floats"}
_DARK = 16  # a smaller largest byte is reported, as it may be a class or another white


@dataclass(frozen=True, slots=True)
class GreyScale:
    """Black and white of an image.

    Args:
        black: the number that reads as 0.
        white: the number that reads as 1; None if the numbers are in 0..1 already.
        cut: how many numbers lie beyond and are clipped; -1 if none can.
        text: the finding about it, "" if there is none.
        option: that changes it.
        inferred: whether white was inferred from the largest number.
        checked: whether all numbers are known to be in 0..1 as they are read.
    """

    black: float = 0
    white: float | None = None
    cut: int = -1
    text: str = ""
    option: str = ""
    inferred: bool = False
    checked: bool = True


@dataclass(frozen=True, slots=True)
class SameScale:
    """The scale inferred from a run's training images, applied to all later images.

    Images of another file, which may be darker, get the same scale, unless their scale is stated or
    follows from their type.
    """

    def fit(self, train: Mapping[str, Any]) -> dict[str, Any]:
        """Return the number of white, by field."""
        views = {name: view for name, array in train.items() if (view := view_of(array))}
        return {"white": {name: float(view.white or 1) for name, view in views.items()}}

    def apply(self, arrays: Mapping[str, Any], fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays in the scale of the run.

        Raises:
            EdkitError: their numbers are larger than its white.
        """
        whites = fitted.get("white", {})
        return {
            name: _rescaled(name, array, whites[name]) if name in whites else array
            for name, array in arrays.items()
        }


def view_of(array: Any) -> LazyView | None:
    """Return the view with an inferred scale below a selection of rows, else None."""
    while isinstance(array, Rows):
        array = array.array
    return array if isinstance(array, LazyView) and array.inferred else None


def _rescaled(name: str, array: Any, white: float) -> Any:
    view = view_of(array)
    if view is None or view.white == white:
        return array
    if (view.white or 0) > white:
        raise EdkitError(
            f"field {name!r} goes beyond {white:g}, which was white in what the run was trained "
            f"on: say range=0..HIGH or bits=BITS of these data."
        )
    if isinstance(array, Rows):
        return Rows(_rescaled(name, array.array, white), array.rows)
    return replace(view, white=white)


@dataclass(frozen=True, slots=True)
class Extent:
    """Range of the numbers of an array.

    Args:
        low: the least; NaN counts as none.
        high: the largest.
        whole: whether all are whole numbers.
        beyond: how many lie outside the two given numbers.
        missing: how many are NaN or infinite.
        highs: the largest of each split.
    """

    low: float
    high: float
    whole: bool
    beyond: int
    missing: int
    highs: tuple[float, ...] = ()


def extent(parts: Sequence[Stored], low: float = 0, high: float = 1) -> Extent:
    """Return the extent of arrays, read once, some samples at a time.

    Args:
        parts: the array of each split.
        low: smaller numbers are counted.
        high: larger numbers are counted.
    """
    least, whole, beyond, missing = np.inf, True, 0, 0
    highs = [-np.inf] * len(parts)
    for number, block in ((number, b) for number, p in enumerate(parts) for b in p.blocks()):
        ends = float(block.min()), float(block.max())
        if not np.isfinite(ends).all():
            there = block[np.isfinite(block)]
            missing += block.size - there.size
            if not there.size:
                continue
            block, ends = there, (float(there.min()), float(there.max()))
        least, highs[number] = min(least, ends[0]), max(highs[number], ends[1])
        if block.dtype.kind == "f":
            whole = whole and _is_whole(block)
        if ends[0] < low or ends[1] > high:
            beyond += int(np.count_nonzero((block < low) | (block > high)))
    return Extent(least, max(highs), whole, beyond, missing, (*highs,))


def _is_whole(block: np.ndarray) -> bool:
    """Return whether all numbers are whole; a few numbers suffice for most arrays that are not."""
    few = block.reshape(-1)[:_SEEN]
    return bool((few == np.floor(few)).all() and (block == np.floor(block)).all())


def scale_of(name: str, parts: Sequence[Stored], options: ArrayOptions) -> GreyScale:
    """Return the scale of an image or a video.

    Args:
        name: of the field.
        parts: its array in each split.
        options: what the user says.

    Raises:
        UnfitError: no reading fits, or two fit equally well.
        OptionError: the user's bits or range do not fit.
    """
    run = options.scale.get(name)
    if run is not None and all(type_of(part.dtype) == run.type for part in parts):
        return _of_run(parts, run)
    stated = options.range.get(name, options.range.get(""))
    if stated is not None:
        return _stated_range(parts, *stated)
    kinds = {part.dtype.kind for part in parts}
    if kinds == {"b"}:
        return GreyScale(white=1)
    if options.bits > _BITS[0] and any(part.dtype == np.uint8 for part in parts):
        raise OptionError(
            f"{parts[0].where}: option bits={options.bits} is for numbers of more than 8 bits, "
            f"found uint8: leave bits out, or say range={name}:0..{2**options.bits - 1}."
        )
    if options.bits and "f" not in kinds:
        return _stated_bits(parts, extent(parts), options.bits)
    if all(part.dtype == np.uint8 for part in parts):
        return _of_bytes(name, max(map(_largest_of_dark, parts)))
    if kinds != {"f"} and len({native(part.dtype) for part in parts}) > 1:
        raise _unlike(name, parts)
    numbers = extent(parts)
    if numbers.missing:
        raise _gaps(parts, numbers)
    if options.bits and numbers.whole and numbers.high > 1:
        return _stated_bits(parts, numbers, options.bits)
    return _of_floats(parts, numbers) if "f" in kinds else _of_whole(name, parts, numbers)


def _gaps(parts: Sequence[Stored], numbers: Extent) -> UnfitError:
    """Return the error about images with numbers that are NaN or infinite."""
    return UnfitError(
        parts[0].where,
        f"expected numbers in every pixel, found {numbers.missing:,} that are NaN or infinite: "
        "fill them, or leave those samples out",
    )


def type_of(dtype: np.dtype) -> str:
    """Return which numbers share a scale: `bytes`, `whole` or `floats`."""
    return "bytes" if dtype.itemsize == 1 and dtype.kind in "bu" else _TYPES[dtype.kind]


def _of_run(parts: Sequence[Stored], run: RunScale) -> GreyScale:
    """Return the scale of the run that the images are read for.

    Raises:
        UnfitError: a number is missing, or lies beyond its black and white.
    """
    if run.type == "bytes" and (run.black, run.white) == (0, 255):  # a byte is never beyond
        return GreyScale(white=255)
    numbers = extent(parts, run.black, run.white)
    if numbers.missing:
        raise _gaps(parts, numbers)
    hair = 0.0 if run.type == "whole" else HAIR * (run.white - run.black)
    if not run.cut and not run.black - hair <= numbers.low <= numbers.high <= run.white + hair:
        raise UnfitError(
            parts[0].where,
            f"expected numbers from {run.black:g} to {run.white:g}, black and white of the run's "
            f"own images, found {numbers.low:g} to {numbers.high:g}: bring them to that scale",
        )
    if run.type == "floats" and (run.black, run.white) == (0, 1) and not numbers.beyond:
        return GreyScale()
    text = f"{numbers.beyond:,} numbers beyond {run.black:g}..{run.white:g} are cut"
    return GreyScale(run.black, run.white, numbers.beyond or -1, text if numbers.beyond else "")


def _of_bytes(name: str, largest: int) -> GreyScale:
    if largest == 1:
        return GreyScale(0, 1, text="0 and 1 alone, read as black and white", option="bits=8")
    if not 0 < largest < _DARK:
        return GreyScale(white=255)
    text = f"white is 255: the largest number is {largest}"
    return GreyScale(white=255, text=text, option=f"range={name}:0..{largest}")


def _unlike(name: str, parts: Sequence[Stored]) -> UnfitError:
    """Return the error about splits whose types of numbers have no common scale."""
    first, other = parts[0], next(part for part in parts if part.dtype != parts[0].dtype)
    return UnfitError(
        other.where,
        f"expected images of {first.dtype} as in the other split, found {other.dtype}: save both "
        f"alike, or, if their numbers mean the same, say range={name}:LOW..HIGH",
    )


def _stated_range(parts: Sequence[Stored], low: float, high: float) -> GreyScale:
    numbers = extent(parts, low, high)
    text = f"{numbers.beyond:,} numbers beyond {low:g}..{high:g} are cut" if numbers.beyond else ""
    return GreyScale(low, high, numbers.beyond or -1, text, checked=not numbers.missing)


def _stated_bits(parts: Sequence[Stored], numbers: Extent, bits: int) -> GreyScale:
    white = 2**bits - 1
    if numbers.low < 0 or numbers.high > white:
        raise OptionError(
            f"{parts[0].where}: option bits={bits} is for numbers from 0 to {white}, found "
            f"{numbers.low:g} to {numbers.high:g}."
        )
    return GreyScale(white=white)


def _largest_of_dark(part: Stored) -> int:
    """Return the largest byte, capped at `_DARK`: the first samples suffice for most images.

    The others are read if they do not, as for black and white alone, or if packed ones may be
    damaged.
    """
    size = int(np.prod(part.shape[1:]))
    rows = max(1, _SEEN // size)
    first = np.asarray(part.view()[:rows])
    largest = int(first.max(initial=0))
    for block in part.blocks() if largest < _DARK or part.is_packed else ():
        largest = max(largest, int(block.max(initial=0)))
        if largest >= _DARK and not part.is_packed:
            break
    return min(largest, _DARK)


def _of_whole(name: str, parts: Sequence[Stored], numbers: Extent) -> GreyScale:
    """Return the scale of whole numbers: the fewest bits that hold the largest."""
    if numbers.low >= 0 and numbers.high <= 1:
        return GreyScale(0, 1, text="0 and 1 alone, read as black and white", option="bits=8")
    bits = next((bits for bits in _BITS if numbers.high < 2**bits), 0)
    if numbers.low < 0 or not bits or numbers.high < 128:
        remedy = "range=LOW..HIGH" + (", such as bits=8" if numbers.low >= 0 and bits else "")
        raise _unfit(parts, numbers, f"whole numbers from 0 up, of {_BITS[0]} to 16 bits", remedy)
    text = "" if bits == 16 else f"{bits} bits, as the largest number is {numbers.high:g}"
    option = "bits=16" if bits < 16 else f"range={name}:0..HIGH"
    if 2 * min(numbers.highs) <= numbers.high:  # perhaps a split of another depth
        highs = ", ".join(f"{high:,.0f}" for high in numbers.highs)
        text = f"{bits} bits, though the largest numbers of the splits are {highs}"
    return GreyScale(0, 2**bits - 1, -1, text, option if text else "", True)


def _of_floats(parts: Sequence[Stored], numbers: Extent) -> GreyScale:
    """Return the scale of floats: 0..1 with a slight overshoot, -1..1, or whole numbers."""
    low, high = numbers.low, numbers.high
    if low >= 0 and high <= 1:
        return GreyScale()
    if low >= -HAIR and high <= 1 + HAIR:
        ends = f"{min(low, 0):.8g}..{max(high, 1):.8g}"
        text = f"{numbers.beyond:,} numbers a hair beyond 0..1 are cut"
        return GreyScale(0, 1, numbers.beyond, text, f"range={ends}")
    if abs(low + 1) <= 4 * HAIR and abs(high - 1) <= 4 * HAIR:
        beyond = extent(parts, -1, 1).beyond
        return GreyScale(-1, 1, beyond or -1, "-1..1 is black to white", "range=0..1")
    bits = next((bits for bits in _BITS if high < 2**bits), 0)
    if numbers.whole and low >= 0 and bits and high >= 2 ** (bits - 1):
        text = f"whole numbers of {bits} bits, as the largest is {high:g}"
        return GreyScale(0, 2**bits - 1, -1, text, f"range=0..{high:g}", True)
    raise _unfit(parts, numbers, "floats in 0..1 or -1..1, or whole numbers of 8 to 16 bits")


def find_void(
    name: str, parts: Sequence[Stored], options: ArrayOptions, findings: Findings
) -> tuple[float | None, bool]:
    """Return the number stated as no value, or None, and whether there is NaN.

    Raises:
        UnfitError: a number is infinite, or looks like a mark of no value that is not stated.
    """
    numbers, stated = extent(parts), options.ignore.get(name)
    blocks = (block for part in parts if part.dtype.kind == "f" for block in part.blocks())
    missing = sum(int(np.isnan(block).sum()) for block in blocks) if numbers.missing else 0
    if numbers.missing > missing:
        raise UnfitError(
            parts[0].where,
            f"expected values, found {numbers.missing - missing:,} infinite ones: write NaN where "
            "there is no value",
        )
    if missing:
        findings.infer(name, f"{missing:,} of NaN are no value")
    if stated is not None and len(stated) > 1:
        raise OptionError(f"option 'ignore' is one number of values, received several of {name!r}.")
    for number in filter(may_be_void, (numbers.low, numbers.high) if stated is None else ()):
        _, most = _others(parts, number)
        if is_void(number, most):
            raise UnfitError(
                parts[0].where,
                f"expected values, found {number:g} beside numbers up to {most:g}: write NaN where "
                f"there is no value, or say ignore={name}:{number:.0f} if it is none, "
                f"ignore={name}:none if it is one",
            )
    if stated is None and numbers.low == 0 and len(parts[0].shape) > 2:
        least, most = _others(parts, 0)
        if is_apart(least, most, numbers.whole):
            text = f"0 is a value, though the other numbers are {least:g} to {most:g}"
            findings.infer(name, text, f"ignore={name}:0")
    return (stated[0] if stated else None), missing > 0


def _others(parts: Sequence[Stored], number: float) -> tuple[float, float]:
    """Return the least and the largest absolute value of the other numbers."""
    least, most = np.inf, 0.0
    for block in (block for part in parts for block in part.blocks()):
        others = abs(block[np.isfinite(block) & (block != number)])
        if others.size:
            least, most = min(least, float(others.min())), max(most, float(others.max()))
    return least, most if most else np.inf


def _unfit(parts: Sequence[Stored], numbers: Extent, expected: str, remedy: str = "") -> UnfitError:
    return UnfitError(
        parts[0].where,
        f"expected images of {expected}, found {parts[0].dtype} from {numbers.low:.6g} to "
        f"{numbers.high:.6g}: say which numbers are black and white, {remedy or 'range=LOW..HIGH'}",
    )
