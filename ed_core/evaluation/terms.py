"""Means of a head's metrics, and of a loss that no other measure covers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ed_core.data.targets import present
from ed_core.errors import EdkitError, one_line
from ed_core.evaluation.subject import Numbers, SampleBatch, Subject
from ed_core.nn.metrics import absolute_error
from ed_core.nn.objective import log_names
from ed_core.nn.predict import total, values_of
from ed_core.plugins.spec import Head


class _Means:
    """The means of some functions of target and output, over what has a target.

    Args:
        subject: what is measured.
        head: the head.
        functions: name of the number to the function.
    """

    def __init__(
        self, subject: Subject, head: Head, functions: dict[str, Callable[..., Any]]
    ) -> None:
        self._subject, self._head, self._functions = subject, head, functions
        self._sums = dict.fromkeys(functions, 0.0)
        self._counts = dict.fromkeys(functions, 0)
        self._there = 0  # of the head: samples of a reconstruction, else positions

    def add(self, part: SampleBatch) -> None:
        """Take some samples into account."""
        head, output = self._head, part.outputs[self._head.output]
        if not head.needs_target:
            arrays: tuple[np.ndarray, ...] = (output,)
            there = np.ones(len(output), bool)
        else:
            target = part.arrays[head.target]
            there = present(self._subject.truth(head, part))
            arrays = (np.where(there.reshape(target.shape), target, 0).astype(target.dtype), output)
        per_sample = head in self._subject.reconstructions
        self._there += int(
            (there.reshape(len(there), -1).any(axis=1) if per_sample else there).sum()
        )
        for name, function in self._functions.items():
            values = self._values(function, arrays, there)
            mask = _on(there, values)
            self._sums[name] += total(values[mask])
            self._counts[name] += int(mask.sum())

    def numbers(self) -> Numbers:
        """Return them by name, and of how many samples or positions they are."""
        numbers: Numbers = {}
        for name, count in self._counts.items():
            if count:
                numbers[name] = self._sums[name] / count
                own = name if count != self._there else self._head.name
                numbers[f"{own}_count"] = count
        return numbers

    def _values(
        self, function: Callable[..., Any], arrays: tuple[np.ndarray, ...], there: np.ndarray
    ) -> np.ndarray:
        """Return one value a sample or position; a loss of one's own may fail in any way."""
        head, more = self._head, {}
        if function is head.loss and head.needs_mask and not there.all():
            more = {"mask": there.astype("float32")}
        try:
            values = values_of(function, *arrays, **more)
        except Exception as error:
            raise EdkitError(
                f"head {head.name!r} cannot be measured: {one_line(error)}."
            ) from error
        if not np.isfinite(values[_on(there, values)]).all():
            raise EdkitError(f"head {head.name!r} cannot be measured: its loss is not finite.")
        return values


class Metrics(_Means):
    """The mean of each metric over the samples, or positions, that have a target.

    Without the absolute error of a value, which `ValueErrors` gives as `mae`.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        named = dict(zip(log_names(head)[1:], head.metrics, strict=True))
        if head not in subject.reconstructions:
            named = {name: one for name, one in named.items() if one is not absolute_error}
        super().__init__(subject, head, named)


class OwnLoss(_Means):
    """The mean of a head's loss, unweighted, over the samples, or positions, with a target.

    Of a loss that compares the samples of a batch, over pieces of at most 500 samples.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        super().__init__(subject, head, {log_names(head)[0]: head.loss})


def _on(there: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return which values count, in their shape: those with all of their target."""
    while there.ndim > values.ndim:
        there = np.asarray(there.all(axis=-1))
    grown = there.reshape(there.shape + (1,) * (values.ndim - there.ndim))
    return np.broadcast_to(grown, values.shape)
