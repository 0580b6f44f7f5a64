"""Preparation of samples: values fitted in training, applied to all later samples of a run."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ed_core.data.lazy import Changed, Later, Splits
from ed_core.errors import EdkitError
from ed_core.plugins.spec import PRESENT, Dataset, Field, Fields, InputRecord, Preparation

Arrays = Mapping[str, Any]

_ROWS = 1024  # samples converted to float64 per block


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Standardisation of every channel by its training mean and deviation.

    The statistics are those of all numbers of a channel, in float64; NaN marks missing
    numbers: they are ignored and become 0, the mean. A constant channel is only shifted.

    Args:
        field: the name of the field, (samples, ..., channels).
        gaps: whether NaN stays NaN, for instance for missing targets.
        unit: of the numbers, such as "full scale"; stored with the fitted values. "" if none.
        strict: whether values fitted without this unit belong to other numbers.
        plain: the channels that stay as they are, such as those of categories.
    """

    field: str
    gaps: bool = False
    unit: str = ""
    strict: bool = False
    plain: tuple[int, ...] = ()

    def fit(self, train: Arrays) -> dict[str, Any]:
        """Return the field as `standardised`, and `mean` and `deviation` of each channel.

        Also `unit` if one is known, and `gaps` if these stay.
        """
        total, count = self._summed(train, 0.0)
        mean = total / np.maximum(count, 1)
        squares, _ = self._summed(train, mean, 2)
        deviation = np.sqrt(squares / np.maximum(count, 1))
        deviation[deviation == 0] = 1
        mean[[*self.plain]], deviation[[*self.plain]] = 0, 1
        numbers = {"mean": mean.tolist(), "deviation": deviation.tolist()}
        unit = {"unit": self.unit} if self.unit else {}
        return {
            "standardised": self.field,
            **numbers,
            **unit,
            **({"gaps": True} if self.gaps else {}),
        }

    def check_unit(self, fitted: Mapping[str, Any]) -> None:
        """Raise an error if the fitted values belong to another unit.

        Raises:
            EdkitError: the values were fitted to numbers in another unit.
        """
        if self.strict and fitted.get("unit") != self.unit:
            raise EdkitError(
                f"the run's mean and deviation of field {self.field!r} are not in units of "
                f"{self.unit}, as these data are read now: train it again."
            )

    def _summed(
        self, train: Arrays, less: np.ndarray | float, power: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the sum of (number - less)^power of every channel and the counts, in blocks."""
        array = train[self.field]
        total, count = np.zeros(array.shape[-1]), np.zeros(array.shape[-1])
        for first in range(0, len(array), _ROWS):
            block = np.asarray(array[first : first + _ROWS], "float64")
            columns = block.reshape(-1, block.shape[-1]) - less
            total += np.nansum(columns**power, axis=0)
            count += np.isfinite(columns).sum(axis=0)
        return total, count

    def apply(self, arrays: Arrays, fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays with the field standardised, float32.

        Raises:
            EdkitError: the number of channels or their unit differs from the fitted ones.
        """
        if self.field not in arrays:
            return dict(arrays)
        self.check_unit(fitted)
        numbers = arrays[self.field]
        try:
            mean, deviation = (np.array(fitted[n], "float64") for n in ("mean", "deviation"))
            if mean.shape != numbers.shape[-1:] or deviation.shape != mean.shape:
                raise ValueError(f"of {mean.size} channels")
        except (KeyError, TypeError, ValueError) as error:
            raise EdkitError(
                f"field {self.field!r} has {numbers.shape[-1]} channels, but the run's mean and "
                f"deviation are not of as many ({error}): give data with the channels that it was "
                "trained on."
            ) from error
        scaled = np.empty(numbers.shape, "float32")
        for first in range(0, len(numbers), _ROWS):
            rows = slice(first, first + _ROWS)
            scaled[rows] = (np.asarray(numbers[rows], "float64") - mean) / deviation
        if not self.gaps:
            scaled[np.isnan(scaled)] = 0
        return {**arrays, self.field: scaled}

    def undo(self, arrays: Arrays, fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays with the field in its own units, float32."""
        if self.field not in arrays:
            return dict(arrays)
        mean, deviation = (np.array(fitted[name], "float64") for name in ("mean", "deviation"))
        numbers = np.asarray(arrays[self.field], "float64") * deviation + mean
        return {**arrays, self.field: numbers.astype("float32")}


@dataclass(frozen=True, slots=True)
class Renamed:
    """Preparation of fields that have been renamed.

    Args:
        hook: uses the original names.
        forth: arrays with original names to arrays with new names.
        back: the inverse.
    """

    hook: Preparation
    forth: Callable[[Arrays], Arrays]
    back: Callable[[Arrays], Arrays]

    def fit(self, train: Arrays) -> dict[str, Any]:
        """Return the fitted values of the preparation."""
        return self.hook.fit(self.back(train))

    def apply(self, arrays: Arrays, fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the prepared arrays."""
        return dict(self.forth(self.hook.apply(self.back(arrays), fitted)))

    def undo(self, arrays: Arrays, fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays before they were prepared, where the preparation can be undone."""
        return dict(self.forth(undone(self.hook, self.back(arrays), fitted)))


def renamed_hook(hook: Preparation, names: Mapping[str, str]) -> Preparation:
    """Return a preparation of fields that a model calls otherwise.

    Args:
        hook: uses the data's names.
        names: the model's name to the data's name.
    """
    if not names:
        return hook
    own = {name: new for new, name in names.items()}
    return Renamed(
        hook,
        lambda arrays: {own.get(name, name): array for name, array in arrays.items()},
        lambda arrays: {names.get(name, name): array for name, array in arrays.items()},
    )


def undone(hook: Preparation | None, arrays: Arrays, fitted: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays as the data set loads them; as they are where nothing can be undone."""
    undo = getattr(hook, "undo", None)
    return dict(arrays if undo is None else undo(arrays, fitted))


def hook_of(record: InputRecord) -> Preparation | None:
    """Return the hook for the fitted values of a record, if they identify it themselves."""
    fitted = record.fitted or {}
    field, unit = fitted.get("standardised"), fitted.get("unit")
    if not isinstance(field, str):
        return None
    return Standardisation(field, fitted.get("gaps") is True, unit if isinstance(unit, str) else "")


def prepared(data: Dataset, record: InputRecord) -> Dataset:
    """Return a data set prepared for a model, with the fitted values in its record.

    Args:
        data: loaded, or already prepared; `train` holds only samples to train on.
        record: of the run. Missing values are fitted here. The findings are those of the data.

    Raises:
        EdkitError: there is nothing to fit on.
    """
    hook, fitted = data.preparation, record.fitted
    if data.input.fitted is not None:
        return data
    reading = record.reading if data.input.reading is None else data.input.reading
    record = replace(record, findings=data.input.findings, reading=reading)
    if hook is None:
        return masked(replace(data, input=record))
    if fitted is None:
        if "train" not in data.splits:
            raise EdkitError("there is no split 'train' to fit the preparation of the samples on.")
        fitted = hook.fit(data.splits["train"])
    prepared_data = changed(data, lambda arrays: hook.apply(arrays, fitted))
    return masked(replace(prepared_data, input=replace(record, fitted=fitted)))


def masked(data: Dataset, names: Collection[str] | None = None) -> Dataset:
    """Return a data set with missing numbers of signals as 0, and a mask NAME_present of each.

    Args:
        data: prepared.
        names: of the signals; by default those with possible gaps.
    """
    if names is None:
        signals = {name: one for name, one in data.fields.items() if one.kind == "signal"}
        names = [name for name, field in signals.items() if field.partial]
    if not names:
        return data
    whole = {name: replace(data.fields[name], partial=False) for name in names}
    masks = {name + PRESENT: Field(data.fields[name].shape, "mask") for name in names}
    fields = Fields({**data.fields, **whole, **masks})
    return changed(data, lambda arrays: fill_gaps(arrays, names), fields)


def fill_gaps(arrays: Arrays, names: Collection[str]) -> dict[str, Any]:
    """Return arrays with missing numbers of signals as 0, and a mask NAME_present of each."""
    filled = dict(arrays)
    for name in names:
        array, kind = arrays[name], np.dtype("float32")
        filled[name] = Changed(array, _no_gaps, kind)
        filled[name + PRESENT] = Changed(array, _there, kind)
    return filled


def _no_gaps(part: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(part), 0, part)


def _there(part: np.ndarray) -> np.ndarray:
    return ~np.isnan(part)


def changed(
    data: Dataset, change: Callable[[Arrays], Arrays], fields: Fields | None = None
) -> Dataset:
    """Return the data set with the arrays of a split changed on first access.

    Args:
        data: the data set.
        change: from the arrays of a split to their replacement.
        fields: of the result, if they differ.
    """
    whole, fields = data.whole, data.fields if fields is None else fields
    later = None if whole is None else Later(lambda: change(whole), [*fields])
    return replace(data, fields=fields, splits=Splits(data.splits, change=change), whole=later)


def as_trained(
    data: Dataset, fields: Fields, record: InputRecord, hook: Preparation | None = None
) -> Dataset:
    """Return another data set prepared for a run: fitted values applied, classes by name.

    Args:
        data: as loaded.
        fields: of the data set that the run was trained on.
        record: of the run.
        hook: of the data set that the run was trained on, if available.

    Raises:
        EdkitError: the run does not know a class of the data, or the fitted values cannot be
            applied.
    """
    if record.fitted is None:  # the run's own data were not prepared
        hook = None
    else:
        hook = hook or hook_of(record) or data.preparation
        if hook is None:
            raise EdkitError(
                "the run keeps values that its data set fitted, and neither that one nor the data "
                "given can apply them: give data of the kind that it was trained on."
            )
        if isinstance(data.preparation, Standardisation):
            data.preparation.check_unit(record.fitted)
    data = _with_masks(prepared(replace(data, preparation=hook), record), fields)
    orders: dict[str, np.ndarray] = {}
    for name, trained_field in fields.items():
        if name in data.fields and data.fields[name].kind == trained_field.kind == "class":
            order = class_order(name, data.fields[name], trained_field)
            if order is not None:
                orders[name] = order
    if not orders:
        return data

    def change(arrays: Arrays) -> dict[str, Any]:
        return {
            name: _renumbered(array, orders[name]) if name in orders else array
            for name, array in arrays.items()
        }

    renamed = {
        name: replace(field, classes=fields[name].classes, colours=fields[name].colours)
        if name in orders
        else field
        for name, field in data.fields.items()
    }
    return changed(data, change, Fields(renamed))


def _with_masks(data: Dataset, fields: Fields) -> Dataset:
    """Return the data with a mask of each signal that had one in training; reject new gaps."""
    for name in data.fields:
        if name.endswith(PRESENT) and name not in fields:
            signal = name.removesuffix(PRESENT)
            raise EdkitError(
                f"field {signal!r} lacks numbers, and the run was trained without gaps: take "
                "missing=fill or missing=drop."
            )
    masked_names = [name.removesuffix(PRESENT) for name in fields if name.endswith(PRESENT)]
    more = [
        name for name in masked_names if name in data.fields and name + PRESENT not in data.fields
    ]
    return masked(data, more)


def class_order(name: str, field: Field, trained_field: Field) -> np.ndarray | None:
    """Return the run's number of each class of the data, None if they are the same.

    Raises:
        EdkitError: the run does not know one of them.
    """
    if field.classes == trained_field.classes or not field.classes or not trained_field.classes:
        return None
    strange = [one for one in field.classes if one not in trained_field.classes]
    if strange:
        raise EdkitError(
            f"field {name!r} has the class {strange[0]!r}"
            f"{f' and {len(strange) - 1} others' if len(strange) > 1 else ''} that the run does "
            f"not know: expected {', '.join(trained_field.classes)}; leave those samples out."
        )
    return np.array([trained_field.classes.index(one) for one in field.classes])


def _renumbered(array: Any, order: np.ndarray) -> Changed:
    def change(part: np.ndarray) -> np.ndarray:
        numbers = part.astype("int32")
        return np.where(numbers >= 0, order[np.maximum(numbers, 0)], -1)

    return Changed(array, change, np.dtype("int32"))
