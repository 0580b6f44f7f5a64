"""Errors of a reconstruction, and the activity of its code."""

from collections import defaultdict
from math import prod

import numpy as np

from ed_core import floors
from ed_core.arrange import present
from ed_core.evaluation.predicting import total
from ed_core.evaluation.subject import Numbers, Part, Subject
from ed_core.spec import Head
from ed_core.submodels import taken

NOTICEABLE = 0.01  # share of the layer's maximum from which a unit of a sparse code is active


class ReconstructionError:
    """The squared error per number, that of the floors, and the sum per sample.

    Over the samples, or positions, that the head has a target for.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        self._linear: floors.PrincipalComponents | None = None
        if subject.code_shape is not None:
            train = subject.run.data.splits["train"][head.target]
            self._linear = floors.principal_components(train, prod(subject.code_shape))
        self._sums: dict[str, float] = defaultdict(float)
        self._numbers = self._samples = 0

    def add(self, part: Part) -> None:
        """Take some samples into account."""
        head, target = self._head, part.arrays[self._head.target]
        there = present(self._subject.truth(head, part)).reshape(target.shape)
        self._numbers += int(there.sum())
        self._samples += int(there.reshape(len(there), -1).any(axis=1).sum())
        restored = {"mse": part.outputs[head.output]}
        if self._linear is not None:
            restored["pca_mse"] = self._linear.restore(target)
        model = self._subject.untrained
        restored["untrained_mse"] = model.predict_on_batch(taken(model, part.arrays))[head.output]
        for name, output in restored.items():
            self._sums[name] += total(np.square(target - output.astype("float64"))[there])

    def numbers(self) -> Numbers:
        """Return them by name."""
        if not self._numbers:
            return {}
        numbers: Numbers = {name: value / self._numbers for name, value in self._sums.items()}
        size = prod(self._subject.run.fields[self._head.target].shape)
        numbers["sum_squared_error"] = self._sums["mse"] / self._numbers * size
        prefix = self._subject.prefix(self._head)
        named = {f"{prefix}{name}": value for name, value in numbers.items()}
        return {**named, f"{self._head.name}_count": self._samples}


class Activity:
    """The share of code units, over all samples, above 1 % of the layer's maximum."""

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._output = subject, head.output
        self._largest = 0.0

    def add(self, part: Part) -> None:
        """Take some samples into account."""
        self._largest = max(self._largest, float(np.abs(part.outputs[self._output]).max()))

    def numbers(self) -> Numbers:
        """Return it; the maximum is known at the end alone, so that the model is asked again."""
        least, active, units = np.float32(NOTICEABLE * self._largest), 0, 0
        for part in self._subject.parts():
            values = np.abs(part.outputs[self._output])
            active += int(np.sum(values > least))
            units += values.size
        return {"active_fraction": active / units}
