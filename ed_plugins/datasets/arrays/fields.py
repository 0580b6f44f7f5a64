"""Fields of arrays: the kind of each, and its array converted to that kind."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, cast, get_args

import numpy as np

from ed_core import Field, Findings
from ed_core.plugins.spec import FieldKind
from ed_plugins.datasets._lazy import LazyView, native
from ed_plugins.datasets.arrays.axes import settle
from ed_plugins.datasets.arrays.files import Stored, slow_layout
from ed_plugins.datasets.arrays.labels import MANY, Labels, count_texts, is_one_hot, read_labels
from ed_plugins.datasets.arrays.names import INPUTS, PLURALS, TARGETS
from ed_plugins.datasets.arrays.options import ArrayOptions, OptionError, UnfitError
from ed_plugins.datasets.arrays.scale import HAIR, extent, find_void, scale_of

_NAMES = {"image": "image", "video": "video", "signal": "signal", "label": "class", "mask": "class"}
_AXES = {"image": (4,), "video": (5,), "signal": (3,)}  # with the samples and the channels
_MAPPED = 64  # largest number of pixel classes; above it grey levels are as likely
_LONG = 8  # ratio of frames to samples above which time may come first
_LEAST = 8  # smallest side, in pixels, of an image without an axis of channels


@dataclass(frozen=True, slots=True)
class ArraySource:
    """The arrays of a field as the file stores them.

    Args:
        name: in the file, without its split.
        parts: of each split, (samples, ...).
        maps: heights and widths of the maps beside it.
        sizes: possible heights and widths of the images beside it.
        last: whether the samples lay along the last axis.
        paired: whether x and y stand for inputs and targets.
        taken: the other names of fields.
    """

    name: str
    parts: Sequence[Stored]
    maps: Collection[tuple[int, ...]] = ()
    sizes: Collection[tuple[int, ...]] = ()
    last: bool = False
    paired: bool = False
    taken: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class FieldArrays:
    """Field of some arrays.

    Args:
        name: that models use.
        field: what it is.
        arrays: of each split, converted to it.
        axes: their letters in the file; "" if unknown.
    """

    name: str
    field: Field
    arrays: list[Any]
    axes: str


def make_field(source: ArraySource, options: ArrayOptions, findings: Findings) -> FieldArrays:
    """Return a field, and the array of each split converted to it.

    Args:
        source: its arrays.
        options: of the user.
        findings: receives what was inferred.

    Raises:
        UnfitError: the arrays fit no kind, differ in shape, or hold numbers that their kind
            excludes.
        OptionError: an option does not fit them.
    """
    stated = options.axes_of((source.name,), len(source.parts[0].shape))
    letters = stated
    if _stated_kind(source, source.parts, options) == "video" and len(source.parts[0].shape) == 4:
        letters = stated or ("HWTN" if source.last else "NTHW")
    settled = [settle(part, letters, source.maps, source.last) for part in source.parts]
    parts, lay = [part for part, _ in settled], settled[0][1]
    _check_shapes(parts)
    kind = _kind_of(source, parts, options, stated)
    _check_letters(parts[0].where, kind, stated)
    name = _name_of(source, kind, parts)
    _check_kind(parts[0].where, kind)
    if kind == "signal" and not stated:
        turned = [_signal(source.name, part, findings, name) for part in parts]
        if turned[0] is not parts[0]:
            lay = "CTN" if source.last else "NCT"
        parts = turned
    _check_axes(source.name, kind, parts, lay, bool(stated))
    if not stated and prod(parts[0].shape[1:]) > 1 and _is_turned(lay, kind):
        findings.infer(name, f"axes {lay}, {_words(parts[0].shape)}", f"axes={_other(lay)}")
    if kind == "class":
        field, arrays = _classes(name, replace(source, parts=parts), options, findings)
    else:
        field, arrays = _values(name, kind, replace(source, parts=parts), options, findings)
    return FieldArrays(name, field, arrays, lay)


def _classes(
    name: str, source: ArraySource, options: ArrayOptions, findings: Findings
) -> tuple[Field, list[Any]]:
    """Return a field of classes, and the numbers of the classes of each split."""
    labels = _labels(source, source.parts, options)
    for text, option in labels.texts:
        findings.infer(name, text, option)
    partial = any((part < 0).any() for part in labels.parts)
    shape = labels.parts[0].shape[1:]
    return Field(shape, "class", labels.classes, partial=partial), labels.parts


def _values(
    name: str, kind: str, source: ArraySource, options: ArrayOptions, findings: Findings
) -> tuple[Field, list[Any]]:
    """Return a field of numbers, and those of each split."""
    parts = source.parts
    if any(part.is_text for part in parts):
        raise UnfitError(parts[0].where, f"expected numbers for kind {kind}, found texts")
    arrays, text, option = _numbers(source, kind, parts, options)
    if text:
        findings.infer(name, text, option)
    partial = False
    if kind == "value":
        void, lost = find_void(source.name, parts, options, findings)
        partial = lost or void is not None
        if void is not None:
            arrays = [LazyView(array, void=void) for array in arrays]
        elif not lost:
            arrays = [replace(a, checked=True) if isinstance(a, LazyView) else a for a in arrays]
    elif remedy := slow_layout(parts[0]):
        findings.infer(name, "stored so that single samples are read slowly", remedy)
    return Field(arrays[0].shape[1:], cast(FieldKind, kind), partial=partial), arrays


def _check_shapes(parts: Sequence[Stored]) -> None:
    for part in parts:
        if part.shape[1:] != parts[0].shape[1:]:
            raise UnfitError(
                part.where,
                f"expected samples of shape {parts[0].shape[1:]} as in the other split, found "
                f"{part.shape[1:]}",
            )


def _check_kind(where: str, kind: str) -> None:
    if kind not in get_args(FieldKind):
        raise UnfitError(where, f"kind is {', '.join(get_args(FieldKind))}; found {kind[:40]!r}")


def _check_letters(where: str, kind: str, letters: str) -> None:
    """Raise OptionError if the user's letters are those of another kind."""
    if letters and {"image": "T" in letters, "video": "T" not in letters}.get(kind):
        other = "without T" if kind == "image" else "with T"
        raise OptionError(f"{where}: expected axes {other} for kind {kind}, received {letters}.")


def _is_turned(lay: str, kind: str) -> bool:
    return lay not in ("", "N", "NT", "NHW", "NHWC", "NTHW", "NTHWC") and (
        kind != "signal" or lay.endswith("N")
    )


def _other(lay: str) -> str:
    """Return another order of the same number of axes, as an example of the option."""
    others = ("NHWC", "NTHWC", "NHW", "NT")
    return next((other for other in others if len(other) == len(lay)), "LETTERS")


def _words(shape: tuple[int, ...]) -> str:
    return f"{shape[0]:,} samples of {' x '.join(map(str, shape[1:]))}"


def _stated_kind(source: ArraySource, parts: Sequence[Stored], options: ArrayOptions) -> str:
    """Return the kind stated by the user, the file or the name, else ""."""
    name = source.name
    stated = options.kind.get(name) or next(filter(None, (part.kind for part in parts)), "")
    return stated or _NAMES.get(name) or _NAMES.get(PLURALS.get(name, ""), "")


def _kind_of(
    source: ArraySource, parts: Sequence[Stored], options: ArrayOptions, stated: str
) -> str:
    """Return the kind: stated by the user or the file, else suggested by the name or the array."""
    name, role = source.name, source.name.lower() if source.paired else ""
    stated_kind = _stated_kind(source, parts, options)
    if {"T", "H", "W"} <= set(stated) and name not in options.kind and stated_kind in ("", "image"):
        return "video"
    if stated_kind:
        return stated_kind
    if any(part.is_text for part in parts):
        return "class" if role in TARGETS else _kind_of_texts(name, parts)
    if role in TARGETS:
        return _kind_of_target(parts)
    if role in INPUTS and len(parts[0].shape) in (3, 4, 5):
        return _kind_of_input(name, parts, stated)
    if "H" in stated and len(parts[0].shape) == 3 and parts[0].dtype.kind == "f":
        return "image"
    return "value" if _is_map(source, parts[0]) else _guess(name, parts)


def _is_map(source: ArraySource, part: Stored) -> bool:
    """Return whether floats (samples, height, width) lie beside images of that size."""
    return part.dtype.kind == "f" and len(part.shape) == 3 and part.shape[1:] in source.sizes


def is_guessed(source: ArraySource, options: ArrayOptions) -> bool:
    """Return whether the kind follows from type and shape alone, not from user, file or name."""
    name = source.name
    by_name = PLURALS.get(name, name) in _NAMES or source.paired
    return not (by_name or name in options.kind or any(part.kind for part in source.parts))


def _name_of(source: ArraySource, kind: str, parts: Sequence[Stored]) -> str:
    """Return the name that models use for x_train, images_train, X beside y and the like."""
    name, shape = source.name, parts[0].shape
    new = name
    if source.paired:
        new = PLURALS.get(name, name)
        if (name.lower() in INPUTS or new == "image") and kind in ("image", "video", "signal"):
            new = kind
        elif name.lower() in TARGETS and kind in ("class", "value"):
            of_pixels = len(shape) > 2 and shape[2] > 1
            new = "value" if kind == "value" else "mask" if of_pixels else "label"
    return name if new != name and new in source.taken else new


def _kind_of_texts(name: str, parts: Sequence[Stored]) -> str:
    different, count = count_texts(parts)
    if different > max(2, count // 2):
        raise UnfitError(
            parts[0].where,
            f"expected labels, found {different:,} different texts in {count:,}: say "
            f"kind={name}:class if they are classes",
        )
    return "class"


def _kind_of_target(parts: Sequence[Stored]) -> str:
    """Return the kind of y: classes, or values if its floats are no small whole numbers."""
    single, ndim = prod(parts[0].shape[1:]) == 1, len(parts[0].shape)
    if parts[0].dtype.kind == "f" and ndim == 2 and not single:
        one_hot = all(is_one_hot(block).all() for part in parts for block in part.blocks())
        return "class" if one_hot else "value"
    if parts[0].dtype.kind != "f" or not single:
        return "class" if single or ndim < 4 else "image"
    numbers = extent(parts)
    return "class" if numbers.whole and numbers.low >= -1 and numbers.high < MANY else "value"


def _kind_of_input(name: str, parts: Sequence[Stored], stated: str) -> str:
    """Return the kind of x by its axes; floats (N, a, b) are an image if a = b."""
    shape = parts[0].shape
    if len(shape) > 3:
        return {4: "image", 5: "video"}[len(shape)]
    if "H" in stated or parts[0].dtype == np.uint8:
        return "image"
    least, most = sorted(shape[1:])
    if least == most >= _LEAST:
        return "image"
    if "T" in stated or 4 * shape[2] <= shape[1] or least < _LEAST:
        return "signal"
    raise UnfitError(
        parts[0].where,
        f"expected images or signals, found {shape} which may be either: say kind={name}:image or "
        f"kind={name}:signal",
    )


def _guess(name: str, parts: Sequence[Stored]) -> str:
    """Return the kind that shape and type suggest; see the data set's documentation."""
    shape, dtype = parts[0].shape, parts[0].dtype
    ndim = len(shape)
    if ndim == 2 and shape[1] == 1 and dtype.kind == "f":
        return "value"
    if ndim == 2:
        one_hot = shape[1] > 1 and all(
            is_one_hot(block).all() for part in parts for block in part.blocks()
        )
        return "class" if one_hot or (shape[1] == 1) else "signal"
    if dtype.kind == "f":
        kinds = {1: "value", 3: "signal", 4: "image", 5: "video"}
        if ndim == 4 and shape[-1] == 1 and not _is_unit(parts):
            return "value"
    else:
        kinds = {1: "class", 3: "class", 4: "image", 5: "video"}
        if dtype.kind == "i" and ndim == 4 and shape[-1] == 1:
            return "class"
    if ndim not in kinds:
        raise UnfitError(parts[0].where, f"expected 1 to 5 axes, found {ndim}: {shape}")
    return kinds[ndim]


def _is_unit(parts: Sequence[Stored]) -> bool:
    numbers = extent(parts)
    return numbers.missing == 0 and numbers.low >= -HAIR and numbers.high <= 1 + HAIR


def _signal(name: str, part: Stored, findings: Findings, field: str) -> Stored:
    """Return a signal as (samples, time, channels); a single channel may come before time."""
    if len(part.shape) != 3 or part.shape[2] <= part.shape[1]:
        return part
    if part.shape[1] == 1:
        findings.infer(field, f"axes NCT, {_words(part.shape)}", "axes=NTC")
        return part.turned((0, 2, 1))
    raise UnfitError(
        part.where,
        f"expected signals (samples, time, channels), found {part.shape} with more channels than "
        f"points in time: say axes={name}:NCT if the channels come first, axes={name}:NTC if not",
    )


def _check_axes(name: str, kind: str, parts: Sequence[Stored], lay: str, stated: bool) -> None:
    """Raise UnfitError if an array's axes do not fit its kind, or fit in two orders."""
    shape = parts[0].shape
    if kind in _AXES and len(shape) not in (_AXES[kind][0], _AXES[kind][0] - 1):
        raise UnfitError(
            parts[0].where,
            f"expected {_AXES[kind][0]} axes for kind {kind}, samples and channels among them, "
            f"found {shape}: {_other_kind(name, len(shape))}",
        )
    if not stated and kind == "video" and lay in ("NTHW", "NTHWC") and shape[1] > _LONG * shape[0]:
        raise UnfitError(
            parts[0].where,
            f"expected videos (samples, time, ...), found {shape} with far more frames than "
            f"samples: say axes={name}:TN{lay[2:]} if time comes first, axes={name}:{lay} if not",
        )
    if not lay and kind in ("image", "video", "class") and prod(shape[1:]) > 1:
        several = "NTHWC, NTCHW or NCTHW" if kind == "video" else "NHWC, NCHW or HWCN"
        if kind == "image":
            several += f", or axes={name}:NTHW of videos and volumes"
        what = "rows of classes" if kind == "class" else f"{kind}s"
        raise UnfitError(
            parts[0].where,
            f"expected {what} whose channels are 1, 3 or 4 or clearly the fewest, found {shape} "
            f"where two axes or none may hold them: say axes=LETTERS, such as {several}",
        )


def _other_kind(name: str, axes: int) -> str:
    """Return the remedy for an array whose number of axes does not fit its kind."""
    kinds = {1: "value", 2: "signal", 3: "signal", 4: "image", 5: "video"}
    rows = ", or, of rows of pixels, reshape it to (samples, height, width)" * (axes == 2)
    return f"say kind={name}:{kinds[axes]}{rows}" if axes in kinds else "reshape it to 1 to 5 axes"


def _numbers(
    source: ArraySource, kind: str, parts: Sequence[Stored], options: ArrayOptions
) -> tuple[list[Any], str, str]:
    """Return arrays of numbers, and the inferred scale with the option that sets it.

    They are floats; images of whole numbers are scaled to 0..1.
    """
    if kind == "value" and _is_map(source, parts[0]):
        return [_shown(part, None, True) for part in parts], "", ""
    if kind == "value":
        arrays = [part.view() for part in parts]
        if parts[0].shape[1:] == (1,):
            arrays = [np.asarray(array[:])[..., 0] for array in arrays]
        return [_as_floats(array) for array in arrays], "", ""
    channel = len(parts[0].shape) + 1 in _AXES.get(kind, ())
    if kind == "signal":
        white = [None if part.dtype.kind == "f" else 1 for part in parts]
        return [_shown(part, w, channel) for part, w in zip(parts, white, strict=True)], "", ""
    if kind not in ("image", "video"):
        return [_as_floats(part.view()) for part in parts], "", ""
    scale = scale_of(source.name, parts, options)
    more = {"black": scale.black, "cut": scale.cut >= 0, "inferred": scale.inferred}
    more["checked"] = scale.checked
    views = [_shown(part, scale.white, channel, **more) for part in parts]
    return views, scale.text, scale.option


def _as_floats(array: Any) -> Any:
    if array.dtype.kind == "f" and isinstance(array, np.ndarray):
        return array.astype(native(array.dtype), copy=False)
    return LazyView(array, None if array.dtype.kind == "f" else 1)


def _shown(part: Stored, white: float | None, channel: bool, **scale: Any) -> Any:
    array = part.view()
    if isinstance(array, np.ndarray) and white is None:
        array = array.astype(native(array.dtype), copy=False)
        return array[..., None] if channel else array
    if isinstance(array, LazyView):
        return replace(array, white=white, channel=channel, **scale)
    return LazyView(array, white, channel=channel, **scale)


def _labels(source: ArraySource, parts: Sequence[Stored], options: ArrayOptions) -> Labels:
    """Return the labels of a field; raise UnfitError if they may be grey levels as well."""
    labels, name = read_labels(source.name, parts, options), source.name
    of_pixels = labels.parts[0].ndim > 1 and len(labels.classes) > _MAPPED
    if of_pixels and is_guessed(source, options):
        raise UnfitError(
            parts[0].where,
            f"expected images or maps of classes, found {parts[0].shape} of 0 to "
            f"{len(labels.classes) - 1} which may be either: say kind={name}:image or "
            f"kind={name}:class, or kind={name}:value of a map of numbers",
        )
    return labels


def check_options(options: ArrayOptions, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise OptionError if the axes stated for all fields fit no array."""
    letters = options.axes.get("", "")
    if letters and all(len(shape) != len(letters) for shape in shapes.values()):
        listing = ", ".join(f"{name} {shape}" for name, shape in [*shapes.items()][:6])
        raise OptionError(
            f"option axes={letters} is of {len(letters)} axes, but no array has as many: {listing}."
        )
