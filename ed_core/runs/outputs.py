"""Outputs of a run in the user's units: codes, reconstructions, predictions, masks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from ed_core.data.checks import check_array
from ed_core.data.lazy import at_a_time
from ed_core.errors import EdkitError
from ed_core.labels import class_names
from ed_core.nn.decoder import find_decoder
from ed_core.nn.predict import ready
from ed_core.nn.submodels import inputs_of, model_inputs
from ed_core.plugins.spec import OWN_SCALE, Field, Fields, Head
from ed_core.runs.trained_model import TrainedModel

Arrays = Mapping[str, Any]
Finish = Callable[[dict[str, np.ndarray], dict[str, np.ndarray]], dict[str, np.ndarray]]

PROBABILITY, PROBABILITIES = "_probability", "_probabilities"
"""What follows the name of a class: of the predicted one, and of all."""
_SUM = 1e-2  # by which probabilities may miss 1, as of half precision


@dataclass(frozen=True)
class Inference:
    """One use of a trained model: from samples, as the data set loads them, to named outputs.

    Args:
        run: the run.
        model: the model, or the part of it, that is called.
        inputs: its inputs, by name.
        outputs: what is given back, by name: the field of one sample.
        finish: a function of (inputs, outputs of the model), each (samples, ...) by name, that
            returns what is given back; with the inputs come their own scales.
    """

    run: TrainedModel
    model: Any
    inputs: Fields
    outputs: Fields
    finish: Finish

    @cached_property
    def batch_size(self) -> int:
        """How many samples are computed at a time: a power of two."""
        return fitting(self.inputs)

    def batch_of(self, samples: Arrays) -> int:
        """Return how many of some samples are computed at a time."""
        return self.batch_size

    def prepared(self, samples: Arrays) -> dict[str, np.ndarray]:
        """Return the inputs of the model (samples, ...), with what was fitted applied.

        Args:
            samples: field to (samples, ...), as the data set loads them; classes by number or name.

        Raises:
            EdkitError: an input is missing or is not what the model takes.
        """
        arrays = self.run.prepare({name: _numbered(self, name, a) for name, a in samples.items()})
        arrays = model_inputs(self.model, arrays)
        inputs = {name: ready(np.asarray(array[:])) for name, array in arrays.items()}
        for name, array in inputs.items():
            field = self.expected(name, array.shape[1:])
            check_array(array, replace(field, partial=False), f"input {name!r}")
        return inputs

    def expected(self, name: str, shape: tuple[int, ...]) -> Field:
        """Return the field that an input of some shape is checked against."""
        return self.inputs[name]

    def __call__(self, samples: Arrays) -> dict[str, np.ndarray]:
        """Return the outputs (samples, ...) of at most a batch of samples.

        Args:
            samples: as in `prepared`.

        Raises:
            EdkitError: an input is not what the model takes, or an output is not finite.
        """
        scales = {name: np.asarray(x) for name, x in samples.items() if name.endswith(OWN_SCALE)}
        given = self.computed(self.prepared(samples), scales)
        for name, array in given.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise EdkitError(
                    f"output {name!r} of {str(self.run.path)!r} is not finite: train it again with "
                    "a lower --learning-rate."
                )
        return given

    def computed(
        self, inputs: dict[str, np.ndarray], scales: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the outputs (samples, ...) of inputs that are prepared.

        Args:
            inputs: of the model, (samples, ...) by name.
            scales: of fields that were scaled sample by sample, (samples, 2) by name.
        """
        count = len(next(iter(inputs.values())))
        # Compiled once for each power of two, not for each number of files that could be read.
        rows = np.minimum(np.arange(2 ** int(np.ceil(np.log2(count)))), count - 1)
        raw = self.model.predict_on_batch({name: array[rows] for name, array in inputs.items()})
        outputs = {name: np.asarray(x)[:count] for name, x in raw.items()}
        return self.finish({**inputs, **scales}, outputs)

    def of(self, x: Any) -> dict[str, np.ndarray]:
        """Return the outputs (samples, ...) of any number of samples.

        Args:
            x: field to (samples, ...), or one array where the model takes one input.
        """
        samples = x if isinstance(x, Mapping) else {self._only_input(): x}
        samples = {name: a if hasattr(a, "shape") else np.asarray(a) for name, a in samples.items()}
        counts = {name: len(array) for name, array in samples.items()}
        if len(set(counts.values())) > 1 or not min(counts.values(), default=0):
            raise EdkitError(f"expected as many samples of every field, one or more; got {counts}.")
        total, step = next(iter(counts.values())), self.batch_of(samples)
        parts = [
            self({name: a[first : first + step] for name, a in samples.items()})
            for first in range(0, total, step)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _only_input(self) -> str:
        if len(self.inputs) > 1:
            raise EdkitError(
                f"the model takes {' and '.join(map(repr, self.inputs))}: expected a dict of "
                "arrays by these names, received one array."
            )
        return next(iter(self.inputs))


def fitting(inputs: Fields) -> int:
    """Return how many samples of some fields are computed at a time: a power of two."""
    one = {name: np.zeros((1, *field.shape), "f4") for name, field in inputs.items()}
    return int(2 ** int(np.log2(at_a_time(one, one))))


def encoding(run: TrainedModel) -> Inference:
    """Return the inference from samples to their codes, without noise.

    What a decoder takes beside the code, such as a class, is given back as well.

    Raises:
        EdkitError: the run has no encoder with a code.
    """
    try:
        encoder = run.encoder
        shape = tuple(encoder.output["code"].shape[1:])
    except (EdkitError, KeyError, TypeError) as error:
        raise EdkitError(_lacks(run, "encoder with a code")) from error
    inputs = _fields_of(run, encoder)
    try:
        also = [name for name in inputs_of(run.decoder) or {} if name in inputs and name != "code"]
    except EdkitError:
        also = []
    outputs = Fields({**{name: inputs[name] for name in also}, "code": Field(shape, "value")})

    def finish(given: dict[str, np.ndarray], raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {**{name: named(given[name], inputs[name]) for name in also}, "code": raw["code"]}

    return Inference(run, encoder, inputs, outputs, finish)


def decoding(run: TrainedModel) -> Inference:
    """Return the inference from codes, and of a conditional decoder their class, to outputs.

    Raises:
        EdkitError: the run has no decoder of a code and at most one class.
    """
    try:
        decoder = find_decoder(run.model, run.fields)
    except EdkitError as error:
        raise EdkitError(_lacks(run, "decoder of codes", f": {str(error).rstrip('.')}")) from error
    inputs = Fields(code=Field(decoder.shape, "value"))
    if decoder.label:
        inputs[decoder.label] = run.fields[decoder.label]
    target = target_of(run, decoder.output)
    shape = tuple(decoder.model.output[decoder.output].shape[1:])
    outputs = Fields({target: replace(run.fields.get(target, Field(shape, "value")), shape=shape)})

    def finish(given: dict[str, np.ndarray], raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return run.undo({target: raw[decoder.output]})

    return Inference(run, decoder.model, inputs, outputs, finish)


def reconstruction(run: TrainedModel) -> Inference:
    """Return the inference from samples to their reconstructions, named as the inputs are.

    Raises:
        EdkitError: the run gives none of its inputs back.
    """
    heads = {head.target: head for head in reconstructing(run)}
    if not heads:
        raise EdkitError(_lacks(run, "output that gives an input back"))
    outputs = Fields({target: run.fields[target] for target in heads})
    own = run.info.get("field_names") or {}

    def finish(given: dict[str, np.ndarray], raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        arrays = run.undo({target: raw[head.output] for target, head in heads.items()})
        for target in arrays:
            scale = given.get(own.get(target, target) + OWN_SCALE)
            if scale is not None:
                arrays[target] = _rescaled(arrays[target], scale)
        return arrays

    return Inference(run, run.model, _fields_of(run, run.model), outputs, finish)


def _rescaled(images: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return images (samples, ...) that were scaled one by one as their files have them, 0..1."""
    factor, offset = scales.T.reshape(2, len(images), *[1] * (images.ndim - 1))
    return np.clip(images * factor + offset, 0, 1).astype("float32")


def prediction(run: TrainedModel, *, probabilities: bool = False) -> Inference:
    """Return the inference from samples to the classes and values that the heads predict.

    A class comes with the probability of it; a value of every pixel is a map.

    Args:
        run: the run.
        probabilities: whether those of all classes are given as well.

    Raises:
        EdkitError: the run predicts neither.
    """
    heads = [head for kind in ("class", "value") for head in _predicting(run, kind)]
    if not heads:
        hint = "; edkit segment gives its masks" if _predicting(run, "class map") else ""
        raise EdkitError(_lacks(run, "head that predicts a class or a value of a sample", hint))
    outputs = Fields()
    for head in heads:
        field = run.fields[head.target]
        outputs[head.name] = field
        if field.kind == "class":
            outputs[head.name + PROBABILITY] = Field((), "value")
            if probabilities:
                outputs[head.name + PROBABILITIES] = _probabilities_field(run, head)

    def finish(given: dict[str, np.ndarray], raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        parts: dict[str, np.ndarray] = {}
        for head in heads:
            field, values = run.fields[head.target], raw[head.output]
            if field.kind == "class":
                shares = _shares(values, head)
                parts[head.name] = named(shares.argmax(axis=-1), field)
                parts[head.name + PROBABILITY] = shares.max(axis=-1)
                parts[head.name + PROBABILITIES] = shares
            else:
                axes = 1 + positions(field)  # of a part of a picture, the first may be shorter
                values = values.reshape(*values.shape[:axes], *field.shape[axes - 1 :])
                parts[head.name] = run.undo({head.target: values})[head.target]
        return {name: parts[name] for name in outputs}

    return Inference(run, run.model, _fields_of(run, run.model), outputs, finish)


def segmentation(run: TrainedModel, *, probabilities: bool = False) -> Inference:
    """Return the inference from samples to the class of every pixel, (samples, height, width).

    Args:
        run: the run.
        probabilities: whether those of all classes are given as well, one more axis.

    Raises:
        EdkitError: the run predicts no class of a pixel.
    """
    heads = _predicting(run, "class map")
    if not heads:
        raise EdkitError(_lacks(run, "head that predicts the class of every pixel"))
    outputs = Fields()
    for head in heads:
        field = run.fields[head.target]
        outputs[head.name] = replace(field, shape=field.shape[: positions(field)])
        if probabilities:
            outputs[head.name + PROBABILITIES] = _probabilities_field(run, head)

    def finish(given: dict[str, np.ndarray], raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        parts: dict[str, np.ndarray] = {}
        for head in heads:
            shares = _shares(raw[head.output], head) if probabilities else raw[head.output]
            parts[head.name] = shares.argmax(axis=-1).astype("int32")
            parts[head.name + PROBABILITIES] = shares
        return {name: parts[name] for name in outputs}

    return Inference(run, run.model, _fields_of(run, run.model), outputs, finish)


def positions(field: Field) -> int:
    """Return how many axes a field has, a last one of size 1 left out."""
    return len(field.shape) - (field.shape[-1:] == (1,))


def predicts(head: Head, field: Field | None, shape: tuple[int, ...]) -> str:
    """Return what a head predicts: `class`, `class map`, `value`, or "" where it is neither.

    A code that is trained against classes, all pairs of a batch at once, predicts none.

    Args:
        head: the head.
        field: its target, or None.
        shape: of its output, without the samples.
    """
    if field is None or not head.needs_target:
        return ""
    axes = positions(field)
    if field.kind == "class" and not head.needs_mask and len(shape) == axes + 1:
        return "class" if axes == 0 else "class map"
    return "value" if field.kind == "value" and shape[axes:] in ((), (1,)) else ""


def reconstructing(run: TrainedModel) -> list[Head]:
    """Return the heads that count to the end and give an input back: no class, of its shape."""
    return [
        head
        for head in run.model.heads
        if head.needs_target
        and head.until == 1
        and head.target in run.model.input
        and run.fields[head.target].kind != "class"
        and prod(_shape(run, head)) == prod(run.fields[head.target].shape)
    ]


def named(numbers: np.ndarray, field: Field) -> np.ndarray:
    """Return the names of classes, or their numbers where they have no names."""
    if not field.classes:
        return numbers.astype("int32")
    return np.array(class_names(field.classes, int(numbers.max(initial=0)) + 1))[numbers]


def class_numbers(names: Iterable[Any], field: Field, what: str) -> np.ndarray:
    """Return the numbers (samples,) of classes that are given by number or by name.

    Args:
        names: of the classes.
        field: the classes.
        what: they are, for the message.

    Raises:
        EdkitError: the run does not know one of them.
    """
    count = len(field.classes)
    numbers = {name: number for number, name in enumerate(field.classes)}
    numbers |= {str(number): number for number in range(count) if str(number) not in numbers}
    result = []
    for name in names:
        text = str(name)
        if text not in numbers and (count or not text.isdecimal()):
            choices = ", ".join(field.classes) or "whole numbers from 0"
            raise EdkitError(f"{what} {text!r} is unknown to the run: expected {choices}.")
        result.append(numbers.get(text, int(text) if text.isdecimal() else -1))
    return np.array(result, "int32")


def _numbered(inference: Inference, name: str, array: Any) -> Any:
    """Return classes given by name as their numbers, and anything else as it is."""
    field = inference.inputs.get(name)
    if field is None or field.kind != "class" or np.asarray(array[:1]).dtype.kind not in "UOT":
        return array
    return class_numbers(np.asarray(array).ravel(), field, f"class of {name!r}")


def _fields_of(run: TrainedModel, model: Any) -> Fields:
    """Return the fields that a functional model takes."""
    return Fields({name: run.fields[name] for name in inputs_of(model) or {}})


def _predicting(run: TrainedModel, kind: str) -> list[Head]:
    """Return the trained heads that predict a kind of thing; an input given back is none."""
    back = reconstructing(run)
    return [
        head
        for head in run.model.heads
        if head not in back
        and head.output in run.model.output
        and predicts(head, run.fields.get(head.target), _shape(run, head)) == kind
        and run.was_trained(head)
    ]


def _shape(run: TrainedModel, head: Head) -> tuple[int, ...]:
    return tuple(run.model.output[head.output].shape[1:])


def _probabilities_field(run: TrainedModel, head: Head) -> Field:
    shape = _shape(run, head)
    return Field(shape, "value", class_names(run.fields[head.target].classes, shape[-1]))


def _shares(values: np.ndarray, head: Head) -> np.ndarray:
    """Return probabilities (..., classes) as float32; raise EdkitError if they are none."""
    shares = values.astype("float32", copy=False)
    if shares.min() < -_SUM or np.abs(shares.sum(axis=-1) - 1).max() > _SUM:
        raise EdkitError(
            f"output {head.output!r} holds no probabilities: expected numbers from 0 to 1 that sum "
            f"to 1, received {shares.min():.3g} to {shares.max():.3g}; end the model in a softmax."
        )
    return shares


def target_of(run: TrainedModel, output: str) -> str:
    """Return the field that an output is like: the target of its head, else of its own name."""
    targets = [head.target for head in run.model.heads if head.output == output and head.target]
    return targets[0] if targets else output


def _lacks(run: TrainedModel, what: str, why: str = "") -> str:
    return f"{str(run.path)!r} is a run of {run.info['model']!r}, which has no {what}{why}."
