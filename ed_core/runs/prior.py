"""New samples of a run: codes drawn from their prior, walks between them, and a plane."""

from dataclasses import dataclass, replace
from math import ceil, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.labels import class_name
from ed_core.nn.submodels import submodel
from ed_core.plugins.spec import Field
from ed_core.runs.outputs import Inference, class_numbers, decoding
from ed_core.runs.trained_model import TrainedModel
from ed_core.seeds import Seeds


@dataclass(frozen=True, slots=True)
class Drawing:
    """Codes of new samples, each a function of the seed and its number alone.

    Args:
        count: draws from N(0, 1), or walks.
        seed: of the draws.
        steps: of a walk from each draw to the next one, both ends included; 0 for the draws alone.
        plane: rows, and columns, of a plane through the first two dimensions of the code, at the
            quantiles of N(0, 1), the second one upwards (Kingma & Welling, 2014, figure 4), in
            place of draws; 0 for none.
        classes: of a conditional run: a plane has this many rows, each of one class, and its
            columns are draws that all of them share, in place of the two dimensions; 0 for none.
    """

    count: int = 1
    seed: int = 0
    steps: int = 0
    plane: int = 0
    classes: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.plane < 0 or self.steps < 0 or self.steps == 1:
            raise EdkitError(
                "expected one new sample or more, and two steps or more of an interpolation; "
                f"received {self.count} and {self.steps}."
            )

    def __len__(self) -> int:
        return self.plane * (self.classes or self.plane) or self.count * max(self.steps, 1)

    def draw_of(self, row: int) -> int:
        """Return the draw that a sample belongs to; of a plane with classes, its row."""
        if self.plane:
            return row // self.plane if self.classes else 0
        return row // max(self.steps, 1)

    def name(self, row: int) -> str:
        """Return the name of a sample, such as `007`; of a walk with its step."""
        per = self.plane or self.steps
        number, step = divmod(row, max(per, 1))
        digits = len(str(len(self) // max(per, 1)))
        return f"{number + 1:0{digits}d}" + (f"-{step + 1:0{len(str(per))}d}" if per else "")

    def code(self, row: int, shape: tuple[int, ...]) -> np.ndarray:
        """Return the code of a sample.

        Args:
            row: its number, from 0.
            shape: of one code.
        """
        if self.plane:
            shared = self._draw(row % self.plane, shape) if self.classes else None
            return self._point(row, shape) if shared is None else shared
        start = self._draw(self.draw_of(row), shape)
        if not self.steps:
            return start
        share = np.float32(row % self.steps / (self.steps - 1))
        return (1 - share) * start + share * self._draw(self.draw_of(row) + 1, shape)

    def _draw(self, number: int, shape: tuple[int, ...]) -> np.ndarray:
        random = Seeds(self.seed).generator("generate", number)
        return random.standard_normal(shape, dtype="float32")

    def _point(self, row: int, shape: tuple[int, ...]) -> np.ndarray:
        code = np.zeros(int(np.prod(shape)), "float32")
        if code.size < 2:
            raise EdkitError(f"a plane needs a code of two dimensions, this one has {code.size}.")
        down, across = divmod(row, self.plane)
        levels = across + 0.5, self.plane - down - 0.5
        code[:2] = [NormalDist().inv_cdf(level / self.plane) for level in levels]
        return code.reshape(shape)


@dataclass(frozen=True)
class Generator:
    """New samples of a run, ready to be computed in any order.

    Args:
        inference: from codes, and of a conditional decoder classes, to samples.
        drawing: the codes.
        labels: the numbers of the classes that the draws take in turn; empty where the decoder
            takes none.
    """

    inference: Inference
    drawing: Drawing
    labels: np.ndarray

    @property
    def label(self) -> str:
        """The name of the class that the decoder takes, "" where it takes none."""
        return next((name for name in self.inference.inputs if name != "code"), "")

    def inputs(self, row: int) -> dict[str, np.ndarray]:
        """Return what the decoder takes for one sample."""
        given = {"code": self.drawing.code(row, self.inference.inputs["code"].shape)}
        if self.label:
            given[self.label] = self._number(row)
        return given

    def class_name(self, row: int) -> str:
        """Return the class of a sample, "" where the decoder takes none."""
        if not self.label:
            return ""
        number = int(self._number(row))
        return class_name(self.inference.inputs[self.label].classes, number)

    def cell(self, row: int) -> tuple[int, int]:
        """Return the row and the column of a sample in one sheet of all.

        Planes and walks lie as they are, draws of several classes have a row a class, and others
        fill a square.
        """
        drawing = self.drawing
        if drawing.plane or drawing.steps:
            return divmod(row, drawing.plane or drawing.steps)
        if len(self.labels) > 1:
            column, line = divmod(row, len(self.labels))
            return line, column
        return divmod(row, ceil(sqrt(len(drawing))))

    def _number(self, row: int) -> Any:
        return self.labels[self.drawing.draw_of(row) % len(self.labels)]


def generator(run: TrainedModel, drawing: Drawing, label: Any = None) -> Generator:
    """Return what makes new samples.

    Args:
        run: the run.
        drawing: the codes.
        label: as in `Run.generate`.

    Raises:
        EdkitError: the codes of the run have no prior, it has no decoder of codes, or the class is
            missing, unknown, or not asked for.
    """
    inference = decoding(run)
    try:
        variational = "posterior" in submodel(run.model, "encoder").output
    except EdkitError:  # a generator
        variational = True
    if not variational:
        raise EdkitError(
            f"{str(run.path)!r} is a run of {run.info['model']!r}, whose codes follow no known "
            "distribution to draw from: generate with a variational model or a GAN."
        )
    field = next((f for name, f in inference.inputs.items() if name != "code"), None)
    if field is None:
        if label is not None:
            raise EdkitError(f"a run of {run.info['model']!r} is told no class: leave it out.")
        return Generator(inference, drawing, np.zeros(0, "int32"))
    labels = _labels(field, label)
    if drawing.plane and label is None:
        drawing = replace(drawing, classes=len(labels))
    return Generator(inference, drawing, labels)


def generate(run: TrainedModel, drawing: Drawing, label: Any = None) -> dict[str, np.ndarray]:
    """Return new samples by field, and of a conditional decoder their classes; see `generator`."""
    source = generator(run, drawing, label)
    count = len(source.drawing)
    rows = [source.inputs(row) for row in range(count)]
    codes = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    given = source.inference.of(codes)
    if source.label:
        given[source.label] = np.array([source.class_name(row) for row in range(count)])
    return given


def _labels(field: Field, label: Any) -> np.ndarray:
    """Return the numbers of the classes that the draws take in turn."""
    if label is None:
        if not field.classes:
            raise EdkitError("the classes of this run have no names: say which, such as 0.")
        return np.arange(len(field.classes), dtype="int32")
    return class_numbers(np.atleast_1d(label), field, "class")
