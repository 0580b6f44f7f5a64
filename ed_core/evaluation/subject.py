"""Subject of an evaluation: a run and the arrays of a split, read in batches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.evaluation import baselines
from ed_core.nn.predict import pieces, ready
from ed_core.nn.submodels import model_inputs
from ed_core.plugins.spec import Field, Head
from ed_core.runs.outputs import positions, predicts, reconstructing
from ed_core.runs.run import Run

_VALUES = 2**22  # targets per block
Numbers = dict[str, float | int | str | list[Any]]
Arrays = Mapping[str, Any]


def truth(arrays: Mapping[str, Any], field: Field, head: Head) -> np.ndarray:
    """Return the target (samples, ...) without an axis of size 1; -1 or NaN where there is none.

    Args:
        arrays: with the head's target and mask, (samples, ...).
        field: what the target is.
        head: the head.
    """
    target = np.asarray(arrays[head.target][:])
    target = target.reshape(target.shape[: 1 + positions(field)])
    target = target.astype("int32" if field.kind == "class" else "float32", copy=False)
    if head.mask:
        mask = np.asarray(arrays[head.mask][:]) > 0
        mask = mask.reshape(mask.shape[: target.ndim] + (1,) * (target.ndim - mask.ndim))
        target = np.where(mask, target, -1 if field.kind == "class" else np.float32(np.nan))
    return target


@dataclass(frozen=True)
class SampleBatch:
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

    def parts(self) -> Iterator[SampleBatch]:
        """Yield some samples at a time with what the model makes of them.

        Raises:
            EdkitError: what the model gives is not finite.
        """
        names = {head.output for head in self.run.model.heads} | {"code"}
        inputs = model_inputs(self.run.model, self.arrays)
        rest = {name: array for name, array in self.arrays.items() if name not in inputs}
        for batch, rows, outputs in pieces(self.run.model, self.arrays):
            selected = {name: output for name, output in outputs.items() if name in names}
            for name, output in selected.items():
                if not np.isfinite(output).all():
                    raise EdkitError(
                        f"{str(self.run.path)!r} cannot be measured: its output {name!r} is not "
                        "finite; train it again with a lower --learning-rate."
                    )
            yield SampleBatch(
                {**batch, **{name: ready(a[rows]) for name, a in rest.items()}}, selected
            )

    @property
    def samples(self) -> int:
        """How many samples are measured."""
        return len(next(iter(self.arrays.values())))

    @cached_property
    def untrained(self) -> Any:
        """The run's model as it was before the first step."""
        return baselines.untrained(self.run)

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
        return reconstructing(self.run)

    def kind(self, head: Head) -> str:
        """Return what a head predicts: `class`, `class map`, `value` or ""."""
        shape = tuple(self.run.model.output[head.output].shape[1:])
        return predicts(head, self.run.fields.get(head.target), shape)

    def truth(self, head: Head, part: SampleBatch) -> np.ndarray:
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
