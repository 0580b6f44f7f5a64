"""Options of arrays, for all fields or for single ones by name."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import get_args

from ed_core import EdkitError
from ed_core.plugins.spec import FieldKind

LETTERS = "NTHWC"  # samples, time, height, width, channels


class OptionError(EdkitError):
    """An option that does not fit the arrays; it is never ignored."""


class UnfitError(EdkitError):
    """An array that is no field.

    Args:
        where: file and name.
        reason: what was expected and received, without a full stop.
        spare: whether no model takes such an array under any name.
    """

    def __init__(self, where: str, reason: str, spare: bool = False) -> None:
        super().__init__(f"{where}: {reason}.")
        self.where, self.reason, self.spare = where, reason, spare


@dataclass(frozen=True, slots=True)
class RunScale:
    """Scale of a run's images, which its later images are read in.

    Args:
        type: of the numbers: `bytes`, `whole` or `floats`; others say their scale themselves.
        black: the number that reads as 0.
        white: the number that reads as 1.
        cut: whether the user stated the two, so that numbers beyond are cut and not refused.
    """

    type: str
    black: float
    white: float
    cut: bool


@dataclass(frozen=True, slots=True)
class ArrayOptions:
    """Options by field; each maps a field, or "" for all fields, to its value.

    Args:
        axes: letters, such as NCHW.
        range: the numbers that stand for black and white.
        kind: of a field.
        ignore: the classes that mean "no label"; empty where all are classes.
        bits: in use of whole numbers; 0 if not stated.
        scale: of the run that the arrays are read for.
        standardise: whether each image is brought to one mean and one deviation.
    """

    axes: dict[str, str] = field(default_factory=dict)
    range: dict[str, tuple[float, float]] = field(default_factory=dict)
    kind: dict[str, str] = field(default_factory=dict)
    ignore: dict[str, tuple[int, ...]] = field(default_factory=dict)
    bits: int = 0
    scale: dict[str, RunScale] = field(default_factory=dict)
    standardise: bool = False

    def axes_of(self, names: Collection[str], ndim: int) -> str:
        """Return the letters stated for an array by its names and number of axes, else ""."""
        for name in names:
            if name in self.axes:
                return self.axes[name]
        letters = self.axes.get("", "")
        return letters if len(letters) == ndim else ""


def parse_options(axes: str, range: str, bits: int, kind: str, ignore: str) -> ArrayOptions:  # noqa: A002 - the option's name
    """Return the parsed options; raise OptionError with an example if one is invalid."""
    if bits < 0 or bits > 32:
        raise OptionError(f"option 'bits' is from 1 to 32, or 0 for none said, received {bits}.")
    return ArrayOptions(
        {name: _letters(text) for name, text in _by_field(axes, "axes", "NCHW")},
        {name: _range(text) for name, text in _by_field(range, "range", "0..4095")},
        {name: _kind(name, text) for name, text in _by_field(kind, "kind", "angle:value")},
        _ignored(ignore),
        bits,
    )


def check_names(options: ArrayOptions, names: Collection[str], path: str) -> None:
    """Raise OptionError if an option names a field that the file does not have."""
    for option in ("axes", "range", "kind", "ignore"):
        for name in getattr(options, option):
            if name and name not in names:
                raise OptionError(
                    f"option {option!r} names the field {name[:40]!r}, but {path!r} has only: "
                    f"{', '.join(sorted(names)[:12])}."
                )


def _by_field(text: str, option: str, example: str) -> list[tuple[str, str]]:
    """Return (field, value) of a text such as image:NCHW+mask:NHW; the field is "" for all."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split("+"))):
        name, _, value = part.rpartition(":")
        pairs.append((name.strip(), value.strip()))
    if len({name for name, _ in pairs}) < len(pairs):
        raise OptionError(
            f"option {option!r} says two things of one field, received {text[:60]!r}: expected "
            f"such as {example}."
        )
    return pairs


def _letters(text: str) -> str:
    letters = text.upper()
    if "N" not in letters or len(set(letters)) < len(letters) or set(letters) - set(LETTERS):
        raise OptionError(
            f"option 'axes' is the letters of the axes in their order, N for the samples, T, H, W "
            f"and C for time, height, width and channels, such as NCHW or image:NCHW+mask:NHW; "
            f"received {text[:40]!r}."
        )
    return letters


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(".."))
        if not low < high or high - low == float("inf"):
            raise ValueError
    except ValueError:
        raise OptionError(
            "option 'range' is the two numbers that stand for black and white, such as 0..4095 or "
            f"image:-1..1; received {text[:40]!r}."
        ) from None
    return low, high


def _kind(name: str, text: str) -> str:
    if not name or text not in get_args(FieldKind):
        raise OptionError(
            f"option 'kind' is such as angle:value+x:image, of {', '.join(get_args(FieldKind))}; "
            f"received {text[:40]!r}."
        )
    return text


def _ignored(text: str) -> dict[str, tuple[int, ...]]:
    """Return the labels that mean none, from 254+255, or mask:0+label:none for two fields."""
    labels: dict[str, tuple[int, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split("+"))):
        name, _, value = part.rpartition(":")
        try:
            labels[name] = () if value == "none" else (*labels.get(name, ()), int(value))
        except ValueError:
            raise OptionError(
                "option 'ignore' is the class that means no label, such as 255, mask:255 or none "
                f"to have them all; received {text[:40]!r}."
            ) from None
    return labels
