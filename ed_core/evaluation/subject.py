"""What is measured: a run on the arrays of a split."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.evaluation.predicting import pieces
from ed_core.evaluation.targets import predicts, truth
from ed_core.run import Run
from ed_core.spec import Head

Numbers = dict[str, float | int | str | list[Any]]
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Subject:
    """What is measured: a run, and the arrays of the split.

    Args:
        run: the run.
        arrays: field to (samples, ...).
        seed: of the noise that a measure needs.
    """

    run: Run
    arrays: Arrays
    seed: int = 0

    @cached_property
    def outputs(self) -> Arrays:
        """What the heads look at, and the code, (samples, ...), without noise.

        A code is the mean of its distribution. Of a map of classes only the most probable class of
        every pixel is kept, (samples, height, width): the probabilities of a split fill a memory.
        """
        names = {head.output for head in self.run.model.heads} | {"code"}
        maps = {head.output for head in self.run.model.heads if self.kind(head) == "class map"}
        parts: dict[str, list[np.ndarray]] = {
            name: [] for name in self.run.model.output if name in names
        }
        for _, output in pieces(self.run.model, self.arrays):
            for name, column in parts.items():
                part = output[name]
                if not np.isfinite(part).all():
                    raise EdkitError(
                        f"{str(self.run.path)!r} cannot be measured: its output {name!r} is not "
                        "finite; train it again with a lower --learning-rate."
                    )
                column.append(part.argmax(axis=-1).astype("int32") if name in maps else part)
        return {name: np.concatenate(column) for name, column in parts.items()}

    @cached_property
    def code_shape(self) -> tuple[int, ...] | None:
        """The shape of one code, or None where the model has no encoder with a `code`."""
        try:
            output = self.run.encoder.output
        except EdkitError:
            return None
        return tuple(output["code"].shape[1:]) if "code" in output else None

    @property
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

    def truth(self, head: Head, split: str = "") -> np.ndarray:
        """Return the targets of a head, -1 or NaN where there is none.

        Of what is measured, or of a split of the run's own data.
        """
        arrays = self.run.data.splits[split] if split else self.arrays
        return truth(arrays, self.run.fields[head.target], head)

    def prefix(self, head: Head) -> str:
        """Return what the names of a reconstruction begin with: nothing where there is but one."""
        return f"{head.name}_" if len(self.reconstructions) > 1 else ""

    def about(self, data: str, split: str) -> Numbers:
        """Return what is measured on what, with its size."""
        result: Numbers = {
            "model": self.run.info["model"],
            "data": data,
            "split": split,
            "samples": len(next(iter(self.arrays.values()))),
            "parameters": sum(prod(v.shape) for v in self.run.model.layer_weights),
        }
        if self.code_shape is not None:
            result["code_size"] = prod(self.code_shape)
        return result
