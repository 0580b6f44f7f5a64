"""Axes of arrays: the axis of the samples and the order of the axes of a sample."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod

from ed_plugins.datasets.arrays.files import Stored
from ed_plugins.datasets.arrays.names import INPUTS, PLURALS
from ed_plugins.datasets.arrays.options import ArrayOptions, OptionError, UnfitError

_FEW = (1, 3, 4)  # channels of grey, of colour, of colour and transparency
_CLEAR = (
    2  # minimum ratio of an image's other axes to the channels, if there are not 1, 3 or 4 of them
)
_INPUTS = ("image", "video", "signal", *PLURALS, *INPUTS)
_TURNED = {  # possible axis of a sample's channels, to the letters of its axes
    3: {2: "HWC", 0: "CHW"},
    4: {3: "THWC", 1: "TCHW", 0: "CTHW"},
}


@dataclass(slots=True)
class Aligned:
    """Arrays of a split with their samples first.

    Args:
        arrays: by field.
        left: reasons why others are left out, by field.
        last: the fields whose samples lay along another axis than the first.
    """

    arrays: dict[str, Stored] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    last: set[str] = field(default_factory=set)


def align(named: Mapping[str, Stored], options: ArrayOptions) -> Aligned:
    """Return the arrays of a split with the samples, the axis that all share, first.

    Raises:
        UnfitError: two readings fit equally well.
        OptionError: the axes that the user states do not fit.
    """
    stated = {
        name: letters.index("N")
        for name, stored in named.items()
        if (letters := options.axes_of((name,), len(stored.shape)))
        and _check_letters(letters, stored)
    }
    first = max(named, key=lambda n: (n in stated, _is_input(n), prod(named[n].shape)))
    axis = stated[first] if first in stated else _sample_axis(named, first)
    count = named[first].shape[axis]
    aligned = Aligned()
    for name, stored in named.items():
        own = stated.get(name, _axis_of(stored.shape, count, axis))
        if own is None or stored.shape[own] != count:
            aligned.left[name] = (
                f"expected as many samples as {first!r}, {count:,}, found {stored.shape}"
            )
            continue
        if own:
            aligned.last.add(name)
        axes = range(len(stored.shape))
        aligned.arrays[name] = stored.turned((own, *(a for a in axes if a != own)))
    return aligned


def _check_letters(letters: str, stored: Stored) -> bool:
    if len(letters) != len(stored.shape):
        raise OptionError(
            f"{stored.where}: option axes={letters} is of {len(letters)} axes, found "
            f"{stored.shape}."
        )
    return True


def _is_input(name: str) -> bool:
    return name.lower() in _INPUTS


def _axis_of(shape: tuple[int, ...], count: int, axis: int) -> int | None:
    """Return the axis of an array whose length is the number of samples, else None.

    Args:
        shape: of the array.
        count: of the samples.
        axis: the samples' axis in the main array.
    """
    last = len(shape) - 1
    if axis == 0:
        row = len(shape) == 2 and shape == (1, count)
        return 0 if shape[0] == count else 1 if row else None
    return last if shape[last] == count else 0 if shape[0] == count else None


def _sample_axis(named: Mapping[str, Stored], main: str) -> int:
    """Return the axis of the main array that the others share: the first, else the last."""
    shape = named[main].shape
    last = len(shape) - 1
    if not last:
        return 0
    others = [stored.shape for name, stored in named.items() if name != main]
    fits = [
        sum(_axis_of(other, shape[axis], axis) is not None for other in others)
        for axis in (0, last)
    ]
    if last == 1 and fits[1] > fits[0] > 0:
        raise UnfitError(
            named[main].where,
            f"both axes of {shape} are as long as other arrays: say axes={main}:NT if its rows are "
            f"the samples, axes={main}:TN if its columns are",
        )
    if fits[0] != fits[1] or last == 1:
        return 0 if fits[0] >= fits[1] else last
    if last == 3 and PLURALS.get(main, main) == "video":  # without an axis of channels
        return 0
    if last in _TURNED:
        first_fits = channel_axis(shape[1:], ()) is not None or {shape[1], shape[last]} & {*_FEW}
        axis = channel_axis(
            shape[:-1], ()
        )  # the third in MATLAB's order, or a colour axis before it
        turned = axis is not None and (axis == 2 or shape[axis] in _FEW)
        return last if turned and not first_fits else 0
    if last == 2 and shape[0] == shape[1] != shape[2] and shape[2] > 4 * shape[0]:
        raise UnfitError(
            named[main].where,
            f"the samples may be the first or the last axis of {shape}: say axes=NHW or axes=HWN "
            "(axes=NTC for signals)",
        )
    return 0


def channel_axis(shape: tuple[int, ...], maps: Collection[tuple[int, ...]]) -> int | None:
    """Return the axis of a sample's channels, None unless exactly one axis qualifies.

    Args:
        shape: of a sample of 3 or 4 axes.
        maps: heights and widths of the maps beside it; they decide if they fit one reading only.
    """
    axes, last = _TURNED[len(shape)], len(shape) - 1
    fitting = [axis for axis in axes if _without(shape, axis) in maps]
    if len(fitting) == 1:
        return fitting[0]
    few = [axis for axis in axes if shape[axis] in _FEW]
    if len(few) == 1:
        return few[0]
    if few:
        fewer = last in few and all(shape[last] < shape[axis] for axis in few if axis != last)
        return last if fewer else None
    least = min(axes, key=lambda axis: shape[axis])
    others = _without(shape, least)
    square = len(shape) == 3 and shape[least] < others[0] == others[1]
    return least if square or all(_CLEAR * shape[least] <= size for size in others) else None


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return tuple(size for n, size in enumerate(shape) if n != axis)


def maps_of(shapes: Iterable[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Return the heights and widths of the maps among samples of these shapes."""
    sizes: set[tuple[int, ...]] = set()
    for shape in shapes:
        if len(shape) == 2:
            sizes.add(shape)
        elif len(shape) == 3 and 1 in (shape[0], shape[2]):
            sizes.add(_without(shape, 0 if shape[0] == 1 else 2))
    return sizes


def sizes_of(shapes: Iterable[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Return the possible heights and widths of images among samples of these shapes."""
    images = [shape for shape in shapes if len(shape) == 3]
    return {part for shape in images for part in (shape[:2], shape[1:])}


def settle(
    stored: Stored, letters: str, maps: Collection[tuple[int, ...]], last: bool
) -> tuple[Stored, str]:
    """Return an array with its axes in the order of fields, and their letters in the file.

    Args:
        stored: (samples, ...).
        letters: of all axes in the order of the file, as the user states them.
        maps: see `channel_axis`.
        last: whether the samples lay along the last axis.

    Returns:
        The array, and the letters of its axes in the file; "" if unknown.
    """
    shape = stored.shape[1:]
    if letters:
        own = letters.replace("N", "")
        letters_in_order = sorted(own, key="THWC".index)
        return stored.turned((0, *(1 + own.index(letter) for letter in letters_in_order))), letters
    if len(shape) not in _TURNED:
        return stored, _plain(len(shape), last)
    own = _letters(shape, maps, last)
    if not own:
        return stored, ""
    order = [own.index(letter) for letter in sorted(own, key="THWC".index)]
    return stored.turned((0, *(1 + axis for axis in order))), f"{own}N" if last else f"N{own}"


def _letters(shape: tuple[int, ...], maps: Collection[tuple[int, ...]], last: bool) -> str:
    """Return the letters of the axes of a sample; in MATLAB's videos time is last."""
    if last and len(shape) == 4:
        return "HWCT" if shape[2] in _FEW else ""
    axis = channel_axis(shape, maps)
    return "" if axis is None else _TURNED[len(shape)][axis]


def _plain(axes: int, last: bool) -> str:
    letters = {0: "", 1: "T", 2: "HW"}.get(axes, "")
    return (f"{letters}N" if last else f"N{letters}") if letters else "N"
