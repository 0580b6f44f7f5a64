"""Exported models: what is done before and after a run's model inside one Keras model."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import ops

from ed_core.errors import EdkitError, one_line, unknown
from ed_core.nn import losses, score_graph
from ed_core.nn.decoder import find_decoder
from ed_core.nn.inference_model import inference_model
from ed_core.nn.submodels import inputs_of
from ed_core.plugins.spec import PRESENT, Field
from ed_core.runs.detector import (
    BOTH,
    BOUND,
    CODE,
    DEFECT,
    TINY,
    VERDICTS,
    Detector,
    divisor_of,
    positions_of,
    posterior_of,
)
from ed_core.runs.outputs import predicts, reconstructing, target_of
from ed_core.runs.trained_model import TrainedModel

FORMATS = {
    **{".keras": "keras", ".onnx": "onnx", ".xml": "openvino", ".tflite": "litert"},
    "": "saved_model",
}
"""The formats by the endings of their files; of a folder "", a SavedModel of TensorFlow."""
PARTS = ("", "encoder", "decoder")
_LONGEST = 200  # letters of a converter's message
_FLAT = 1e-6  # the deviation of an image of one number

Tensor = Any
Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Exported:
    """A model that takes what the files of a run hold, and gives results in their units.

    Args:
        model: functional, dict in and dict out, of Keras' own layers.
        facts: what its inputs and outputs are, ready for JSON.
        left_out: what could not be part of it, a sentence each.
        path: of its file, once it is written.
    """

    model: Any
    facts: dict[str, Any]
    left_out: tuple[str, ...] = ()
    path: Path = Path()


def exported(run: TrainedModel, part: str = "", detector: Detector | None = None) -> Exported:
    """Return the model of a run with its preparation, its units and its threshold inside.

    Its inputs are numbers as the files have them (bytes of a picture, columns of a table), at the
    size of the model; its outputs reconstructions, by field, in the same units, the probabilities
    of each head of classes, values, and of a calibrated run `score` and `verdict` (1 is odd). Where
    the model samples a code, it has the mean.

    Args:
        run: the run.
        part: `encoder`, from samples to `code`, or `decoder`, from `code` to fields; "" for all.
        detector: of the run, where it was calibrated.

    Raises:
        EdkitError: a layer has no counterpart in Keras, there is no such part, or what the data set
            fitted has none.
    """
    if part not in PARTS:
        raise unknown("part", part, PARTS)
    if part == "decoder":
        return _exported_decoder(run)
    whole = run.encoder if part else run.model
    units = {name: _Units.of(run, name) for name in inputs_of(whole) or {}}
    given = {
        name: keras.Input(
            run.fields[name].shape,
            name=name,
            dtype="int32" if run.fields[name].kind == "class" else "float32",
        )
        for name in units
    }
    prepared, scales = {}, {}
    for name, tensor in given.items():
        prepared[name], scales[name] = units[name].prepared(tensor)
    raw = inference_model(whole)(prepared)
    results, left_out = (
        ({"code": raw["code"]}, ()) if part else _results(run, prepared, raw, detector)
    )
    for name, tensor in results.items():
        if name in units:
            results[name] = units[name].undone(tensor, scales[name])
    one = _named(run, part, given, results)
    if detector and "score" in results:
        one.facts.update(threshold=detector.threshold, rate=detector.rate)
    if left_out:
        one.facts["left_out"] = [*left_out]
    return replace(one, left_out=left_out)


def _exported_decoder(run: TrainedModel) -> Exported:
    decoder = find_decoder(run.model, run.fields)
    given = {"code": keras.Input(decoder.shape, name="code")}
    if decoder.label:
        given[decoder.label] = keras.Input(
            run.fields[decoder.label].shape, name=decoder.label, dtype="int32"
        )
    output = inference_model(decoder.model)(given)[decoder.output]
    target = target_of(run, decoder.output)
    return _named(run, "decoder", given, {target: _Units.of(run, target).undone(output, None)})


def _named(run: TrainedModel, part: str, given: Tensors, results: Tensors) -> Exported:
    """Return the model of some tensors; each output is a layer of its name."""
    outputs = {
        name: keras.layers.Identity(name=f"{name}_out" if name in given else name)(tensor)
        for name, tensor in sorted(results.items())  # their order, where a format has no names
    }
    model = keras.Model(given, outputs, name=part or str(run.info["model"]))
    facts = {
        "run": run.path.name,
        "model": run.info["model"],
        "part": part or "whole",
        "weights": run.weights,
        "inputs": {name: _said(run, name, tensor) for name, tensor in given.items()},
        "outputs": {name: _said(run, name, tensor) for name, tensor in sorted(results.items())},
        "reading": run.input.reading,
    }
    return Exported(model, facts)


def _said(run: TrainedModel, name: str, tensor: Tensor) -> dict[str, Any]:
    """Return what is said of an input or an output: its shape, and its classes or its numbers."""
    field = next(
        (run.fields.get(h.target) for h in run.model.heads if h.name == name and h.target), None
    )
    field = run.fields.get(name, field)
    facts: dict[str, Any] = {"shape": [None, *tensor.shape[1:]]}
    if name == "verdict":
        facts["classes"] = [*VERDICTS]
    elif field is not None and field.kind == "class":
        facts["classes"] = [*field.classes]
    elif field is not None and field.kind in ("image", "video"):
        units = _Units.of(run, name)
        facts["range"] = [units.black, units.white]
    return facts


def _results(
    run: TrainedModel, inputs: Tensors, raw: Mapping[str, Tensor], detector: Detector | None
) -> tuple[Tensors, tuple[str, ...]]:
    """Return what the whole model gives, by name, and what is left out."""
    back = {head.target: head.output for head in reconstructing(run)}
    results: Tensors = {target: raw[output] for target, output in back.items()}
    for head in run.model.heads:
        field = run.fields.get(head.target)
        kind = predicts(head, field, tuple(raw[head.output].shape[1:])) if field else ""
        if kind and head.output not in back.values() and run.was_trained(head):
            values = raw[head.output]
            if kind == "value":
                values = _Units.of(run, head.target).undone(values, None)
            results[head.name] = values
    if "code" in raw:
        results.setdefault("code", raw["code"])
    if detector is None:
        return results, ()
    try:
        score = _Scores(run, inputs, raw).combined(detector)
    except EdkitError as error:
        return results, (str(error),)
    verdict = ops.cast(score > detector.threshold, "int32")
    return {**results, "score": score, "verdict": verdict}, ()


@dataclass(frozen=True)
class _Units:
    """The numbers of a field in files, and what they become before the model.

    Args:
        black: the number that becomes 0.
        white: the number that becomes 1.
        span: how many of its deviations an image has between 0 and 1; 0 where it keeps its own.
        mean: that a channel loses, (channels,); None where nothing was fitted.
        deviation: by which it is divided then.
        gaps: whether NaN is a missing number.
    """

    black: float = 0.0
    white: float = 1.0
    span: float = 0.0
    mean: np.ndarray | None = None
    deviation: np.ndarray | None = None
    gaps: bool = False

    @classmethod
    def of(cls, run: TrainedModel, name: str) -> "_Units":
        """Return those of a field; raise EdkitError where they have no counterpart in Keras."""
        own = (run.info.get("field_names") or {}).get(name, name)
        stated = (run.input.reading or {}).get("units", {}).get(own, {})
        fitted = run.input.fitted or {}
        gaps = name + PRESENT in run.fields
        if fitted.get("standardised") == own:
            mean, deviation = (np.array(fitted[n], "float64") for n in ("mean", "deviation"))
            return cls(mean=mean, deviation=deviation, gaps=True)
        kept = (run.input.reading or {}).get("units")
        if fitted and "standardised" not in fitted and kept is None:
            raise EdkitError(
                f"what data set {str(run.info['data']).partition(':')[0]!r} fitted has no "
                "counterpart in Keras: save run.inference_model() and prepare samples with "
                "run.prepare."
            )
        return cls(
            stated.get("black", 0.0), stated.get("white", 1.0), stated.get("span", 0.0), gaps=gaps
        )

    def prepared(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        """Return numbers as the model takes them, and the mean and span of each image."""
        if self.mean is not None and self.deviation is not None:
            x = (x - self.mean.astype("float32")) / self.deviation.astype("float32")
        elif (self.black, self.white) != (0, 1):
            x = (x - self.black) / (self.white - self.black)
        if self.gaps:
            x = ops.where(ops.isnan(x), ops.zeros_like(x), x)
        if not self.span:
            return x, None
        axes = tuple(range(1, len(x.shape)))
        mean = ops.mean(x, axis=axes, keepdims=True)
        deviation = ops.std(x, axis=axes, keepdims=True)
        span = self.span * ops.where(deviation < _FLAT, ops.ones_like(deviation), deviation)
        return ops.clip((x - mean) / span + 0.5, 0, 1), (mean, span)

    def undone(self, x: Tensor, scale: tuple[Tensor, Tensor] | None) -> Tensor:
        """Return what a model gives in the units of the files."""
        if scale is not None:
            x = (x - 0.5) * scale[1] + scale[0]
        if self.mean is not None and self.deviation is not None:
            return x * self.deviation.astype("float32") + self.mean.astype("float32")
        if (self.black, self.white) != (0, 1):
            return x * (self.white - self.black) + self.black
        return x


@dataclass(frozen=True)
class _Scores:
    """The scores of a run as graphs.

    Args:
        run: the run.
        inputs: of its model, prepared.
        raw: its outputs.
    """

    run: TrainedModel
    inputs: Tensors
    raw: Mapping[str, Tensor]

    def combined(self, detector: Detector) -> Tensor:
        """Return the score of a detector, (samples,); see `detector.added`."""
        names = detector.score.split(BOTH)
        if len(names) == 1:
            return self.part(names[0], detector)
        total: Any = 0.0
        for name in names:
            mean, deviation, _ = detector.scales[name]
            part = ops.log(self.part(name, detector) + TINY)
            total = total + (part - mean) / (deviation * len(names))
        return total

    def part(self, name: str, detector: Detector) -> Tensor:
        """Return a single score; raise EdkitError where it has no graph."""
        if name == DEFECT:
            return ops.mean(
                ops.square(score_graph.blurred(self.raw[DEFECT], 2, 1.0)), axis=(1, 2, 3)
            )
        if name == BOUND:
            return self._bound()
        if name == CODE and detector.codes is not None:
            return score_graph.distance(self._code(), detector.codes)
        if name not in score_graph.MAPS:
            raise EdkitError(
                f"the score {detector.score!r} cannot be part of an exported model: choose another "
                "with edkit calibrate --score."
            )
        heads = reconstructing(self.run)
        return sum(
            self._residual(
                name, self.run.fields[h.target], self.inputs[h.target], self.raw[h.output]
            )
            for h in heads
        )

    def _residual(self, name: str, field: Field, x: Tensor, y: Tensor) -> Tensor:
        positions = positions_of(field)
        if positions and None in x.shape[-1 - positions : -1]:
            raise EdkitError(
                f"the score {name!r} of images of any size cannot be part of an exported model."
            )
        marks = score_graph.MAPS[name](x, y, positions)
        total = ops.sum(ops.reshape(marks, (-1, int(np.prod(marks.shape[1:])))), axis=1)
        axes = tuple(range(1, len(x.shape)))
        divisor = divisor_of(name, positions)
        if not divisor:
            return total
        norm = divisor == "norm"
        size = ops.sqrt(ops.sum(ops.square(x), axis=axes)) if norm else ops.var(x, axis=axes)
        return total / ops.where(size > 0, size, ops.ones_like(size))

    def _bound(self) -> Tensor:
        """Return the loss of the reconstruction plus the divergence, in nats, (samples,)."""
        terms = [losses.gaussian_kl(self.raw[posterior_of(self.run)])]
        for head in reconstructing(self.run):
            why = "it gives no value a sample"
            try:
                term = head.loss(self.inputs[head.target], self.raw[head.output])
            except Exception as error:  # one of somebody else's may need numbers
                term, why = None, one_line(error)
            if term is None or len(term.shape) != 1:
                raise EdkitError(
                    f"the score {BOUND!r} cannot be part of an exported model with the loss of "
                    f"head {head.name!r} ({why}): choose another with edkit calibrate --score."
                )
            terms.append(term)
        return sum(terms)

    def _code(self) -> Tensor:
        if "code" in self.raw:
            return self.raw["code"]
        encoder = inference_model(self.run.encoder)
        return encoder({name: self.inputs[name] for name in inputs_of(encoder) or {}})["code"]


def export(
    run: TrainedModel,
    output: Path | None = None,
    part: str = "",
    form: str | None = None,
    detector: Detector | None = None,
) -> Exported:
    """Write the exported model of a run, and a JSON file beside it that says what it takes.

    Args:
        run: the run.
        output: a file of one of the endings of `FORMATS`, or a folder without one. Nothing that is
            there is overwritten. By default it has the name of the run, in the current folder.
        part: as in `exported`.
        form: out of `FORMATS`, in place of the one that the ending says.
        detector: as in `exported`.

    Raises:
        EdkitError: nothing is written as that, something is there already, a package is missing,
            or the model cannot be exported.
    """
    if output is None:
        ending = next(end for end, name in FORMATS.items() if name == (form or "keras"))
        output = Path(run.path.resolve().name + ending)
    form = form or FORMATS.get(output.suffix.lower())
    if form is None:
        raise EdkitError(
            f"--output {str(output)!r}: nothing is exported as {output.suffix}: expected a folder "
            f"without an ending, or a file that ends in {', '.join(filter(None, FORMATS))}."
        )
    facts = output.with_name(output.stem + ".json")
    for path in (output, facts):
        if path.exists():
            raise EdkitError(f"{str(path)!r} is there already: give another name, or remove it.")
    result = exported(run, part, detector)
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".edkit-", dir=output.parent) as folder:
        part_file = Path(folder) / output.name
        _write(result.model, part_file, form)
        text = json.dumps(result.facts, indent=1) + "\n"
        part_file.with_name(facts.name).write_text(text, "utf-8")
        for path in sorted(Path(folder).iterdir()):  # OpenVINO writes two files
            shutil.move(path, output.parent / path.name)
    return replace(result, path=output)


def _write(model: Any, path: Path, form: str) -> None:
    """Save a model in a format; raise EdkitError where Keras cannot, with what it says."""
    if form == "keras":
        model.save(path)
        return
    model.trainable = False  # PyTorch takes no gradient into a constant
    model({name: np.zeros((1, *x.shape[1:]), x.dtype) for name, x in model.input.items()})
    keras_name = "tf_saved_model" if form == "saved_model" else form
    try:
        model.export(str(path), format=keras_name, verbose=False)  # OpenVINO takes no Path
    except Exception as error:  # of converters of all kinds
        why = str(error).partition("\n")[0][:_LONGEST].rstrip(".")
        raise EdkitError(
            f"{form} could not be written with {keras.config.backend()} ({why}): install what is "
            "missing, try another --backend, or take .keras."
        ) from error
