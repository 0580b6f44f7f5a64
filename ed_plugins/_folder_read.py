"""The images of one field as one array."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from ed_core import EdkitError
from ed_plugins._folder_plan import FieldPlan, Pixel
from ed_plugins._pictures import read_colours, read_image, read_numbers, read_values

Read = Callable[[Path], np.ndarray]


def read_field(paths: Sequence[Path], plan: FieldPlan, size: Sequence[int]) -> np.ndarray:
    """Return the files as one array, in their order.

    Args:
        paths: of the files.
        plan: how they are read.
        size: (height, width) that they are brought to, or () for their own.

    Returns:
        Of an image (samples, height, width, channels), whole numbers up to `white`; of classes
        (samples, height, width), -1 where there is none; of values (samples, height, width, 1),
        float32, NaN where there is none.

    Raises:
        EdkitError: a file cannot be read, differs from the first, or holds what the plan does not
            say.
    """
    makers = {"image": _image_reader, "class": _class_reader, "value": _value_reader}
    read = makers[plan.kind](plan, size)
    first = read(paths[0])
    whole = np.empty((len(paths), *first.shape), first.dtype)
    for number, path in enumerate(paths):
        array = read(path)
        if array.shape != first.shape or array.dtype != first.dtype:
            raise EdkitError(
                f"{str(path)!r}: expected {_described(first)} as in {paths[0].name!r}, found "
                f"{_described(array)}{_to_one_kind(array, first, plan)}."
            )
        whole[number] = array
    return whole


def white(plan: FieldPlan, array: np.ndarray) -> int:
    """Return the whole number that stands for 1.0 in an image."""
    return 2 ** (plan.bits or 8 * array.dtype.itemsize) - 1


def _image_reader(plan: FieldPlan, size: Sequence[int]) -> Read:
    def read(path: Path) -> np.ndarray:
        array = read_image(path, size, plan.channels)
        if array.dtype == np.uint8 and plan.bits > 8:
            raise EdkitError(
                f"{str(path)!r}: expected bits = {plan.bits}, found 8 bits: leave bits out. Colour "
                "of 16 bits is read as 8: take data set 'arrays' for it."
            )
        kept = array if array.dtype == np.uint8 else array.astype("uint16")
        most = white(plan, kept)
        if array.min() < 0 or array.max() > most:
            raise EdkitError(
                f"{str(path)!r}: expected numbers from 0 to {most}, found {array.min()} to "
                f'{array.max()}: correct bits, or take kind = "value".'
            )
        return kept

    return read


def _class_reader(plan: FieldPlan, size: Sequence[int]) -> Read:
    numbers = {pixel: i for i, pixels in enumerate(plan.classes.values()) for pixel in pixels}
    numbers.update(dict.fromkeys(plan.ignore, -1))
    coloured = isinstance(next(iter(numbers)), str)
    of_pixel = {_whole(pixel): number for pixel, number in numbers.items()}
    pixels = np.array(sorted(of_pixel))
    classes = np.array([of_pixel[p] for p in sorted(of_pixel)])
    classes = classes.astype(np.min_scalar_type(-len(plan.classes)))

    def read(path: Path) -> np.ndarray:
        found = (read_colours if coloured else read_numbers)(path, size)
        where = np.searchsorted(pixels, found).clip(max=len(pixels) - 1)
        strange = found[pixels[where] != found]
        if strange.size:
            which, counts = np.unique(strange, return_counts=True)
            most = which[np.argmax(counts)]
            lossy = (
                " (JPEG changes them: use PNG)" if path.suffix.lower() in (".jpg", ".jpeg") else ""
            )
            raise EdkitError(
                f"{str(path)!r}: expected the {'colours' if coloured else 'ids'} "
                f"{_listed(list(numbers))}, found {f'#{most:06x}' if coloured else most} in "
                f"{counts.max()} pixels and {len(which) - 1} others{lossy}."
            )
        return classes[where]

    return read


def _value_reader(plan: FieldPlan, size: Sequence[int]) -> Read:
    def read(path: Path) -> np.ndarray:
        values = read_values(path, size, plan.missing)
        lost = ~np.isfinite(values)
        if np.isinf(values).any() or (plan.missing is None and lost.any()):
            raise EdkitError(
                f"{str(path)!r}: expected finite numbers, found {values[lost][0]} in {lost.sum()} "
                "pixels: say missing = nan."
            )
        values = values * np.float32(plan.scale) + np.float32(plan.offset)
        if plan.fill == "nearest" and lost.any():
            if lost.all():
                raise EdkitError(f"{str(path)!r}: expected a value to fill with, found none.")
            nearest = distance_transform_edt(lost, return_distances=False, return_indices=True)
            values = values[tuple(nearest)]
        elif plan.fill is not None and lost.any():
            values[lost] = plan.fill
        return values[..., None]

    return read


def _whole(pixel: Pixel) -> int:
    return int(pixel[1:], 16) if isinstance(pixel, str) else pixel


def _listed(pixels: list[Pixel]) -> str:
    return ", ".join(map(str, pixels[:16])) + ", ..." * (len(pixels) > 16)


def _to_one_kind(array: np.ndarray, first: np.ndarray, plan: FieldPlan) -> str:
    """Return what brings grey and coloured images together, "" where that is not it."""
    mixed = plan.kind == "image" and array.shape[:2] == first.shape[:2]
    return ": say channels = 3, or 1 for grey" if mixed and array.shape != first.shape else ""


def _described(array: np.ndarray) -> str:
    channels = array.shape[2] if array.ndim == 3 else 1
    return f"{channels} channel{'s' * (channels > 1)} of {8 * array.dtype.itemsize} bits"
