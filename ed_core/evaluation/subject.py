"""The subject of an evaluation: a run and the arrays of a split, some samples at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ed_core import floors
from ed_core.errors import EdkitError
from ed_core.evaluation.predicting import pieces, ready
from ed_core.evaluation.targets import predicts, truth
from ed_core.run import Run
from ed_core.spec import Head
from ed_core.submodels import taken

Numbers = dict[str, float | int | str | list[Any]]
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """Some of the samples that are measured.

    Args:
        arrays: field to (samples, ...).
        outputs: of the model, what the heads look at and the code, (samples, ...), without noise.
            A code is the mean of its distribution.
    """

    arrays: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Subject:
    """What is measured: a run, and the arrays of the split.

    Args:
        run: the run.
        arrays: field to (samples, ...), or anything that slices like it: a split may be larger
            than the memory.
        seed: of the noise that a measure needs.
    """

    run: Run
    arrays: Arrays
    seed: int = 0

    def parts(self) -> Iterator[Part]:
        """Yield some samples at a time with what the model makes of them.

        Raises:
            EdkitError: what the model gives is not finite.
        """
        names = {head.output for head in self.run.model.heads} | {"code"}
        inputs = taken(self.run.model, self.arrays)
        rest = {name: array for name, array in self.arrays.items() if name not in inputs}
        for given, rows, outputs in pieces(self.run.model, self.arrays):
            kept = {name: output for name, output in outputs.items() if name in names}
            for name, output in kept.items():
                if not np.isfinite(output).all():
                    raise EdkitError(
                        f"{str(self.run.path)!r} cannot be measured: its output {name!r} is not "
                        "finite; train it again with a lower --learning-rate."
                    )
            yield Part({**given, **{name: ready(a[rows]) for name, a in rest.items()}}, kept)

    @property
    def samples(self) -> int:
        """How many samples are measured."""
        return len(next(iter(self.arrays.values())))

    @cached_property
    def untrained(self) -> Any:
        """The run's model as it was before the first step."""
        return floors.untrained(self.run)

    @cached_property
    def code_shape(self) -> tuple[int, ...] | None:
        """The shape of one code, or None where the model has no encoder with a `code`."""
        try:
            output = self.run.encoder.output
        except EdkitError:
            return None
        return tuple(output["code"].shape[1:]) if "code" in output else None

    @cached_property
    def reconstructions(self) -> list[Head]:
        """The heads that count to the end, and whose target is an input and no class."""
        model, fields = self.run.model, self.run.fields
        return [
            head
            for head in model.heads
            if head.needs_target
            and head.until == 1
            and head.target in model.input
            and fields[head.target].kind != "class"
        ]

    def kind(self, head: Head) -> str:
        """Return what a head predicts: `class`, `class map`, `value` or ""."""
        shape = tuple(self.run.model.output[head.output].shape[1:])
        return predicts(head, self.run.fields.get(head.target), shape)

    def truth(self, head: Head, part: Part) -> np.ndarray:
        """Return the targets of a head, -1 or NaN where there is none."""
        return truth(part.arrays, self.run.fields[head.target], head)

    def training_truths(self, head: Head) -> Iterator[np.ndarray]:
        """Yield the targets of a head that it was trained on, some samples at a time."""
        train = self.run.data.splits["train"]
        arrays = {name: train[name] for name in (head.target, head.mask) if name}
        field = self.run.fields[head.target]
        step = max(_VALUES // max(prod(field.shape), 1), 1)
        for first in range(0, len(arrays[head.target]), step):
            some = {name: array[first : first + step] for name, array in arrays.items()}
            yield truth(some, field, head)

    def prefix(self, head: Head) -> str:
        """Return what the names of a reconstruction begin with: nothing where there is but one."""
        return f"{head.name}_" if len(self.reconstructions) > 1 else ""

    def about(self, data: str, split: str) -> Numbers:
        """Return what is measured on what, with its size."""
        result: Numbers = {
            "model": self.run.info["model"],
            "data": data,
            "split": split,
            "samples": self.samples,
            "parameters": sum(prod(v.shape) for v in self.run.model.layer_weights),
        }
        if self.code_shape is not None:
            result["code_size"] = prod(self.code_shape)
        return result | ({"weights": "best"} if self.run.weights == "best" else {})


_VALUES = 2**22  # targets that are looked at in one go
