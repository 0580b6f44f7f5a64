"""The material of the figures: a run, some samples of one split, and the recorded curves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ed_core.data.batches import reference_batch
from ed_core.errors import EdkitError
from ed_core.evaluation import predict
from ed_core.labels import class_name
from ed_core.nn.submodels import inputs_of
from ed_core.plugins.spec import Field
from ed_core.probes import flat
from ed_core.recording.run_description import differing, run_options, worded
from ed_core.runs.earlier import is_earlier
from ed_core.runs.run import Run

SAMPLES = 2000


def names_of(runs: list[Run]) -> list[str]:
    """Return what tells runs apart: models, or all options that differ, or else folders.

    A single run needs no name: "". Of weights those of the model count as well.
    """
    if len(runs) == 1:
        return [""]
    models = [run.info["model"] for run in runs]
    if len(set(models)) > 1:
        return models
    set_by_hand = {name for run in runs for name in run.info.get("weights") or {}}
    told = [_options(run, set_by_hand) for run in runs]
    names = differing(told)
    if not names:
        return [run.path.name for run in runs]
    return [", ".join(f"{n} {worded(own.get(n, 'default'))}" for n in names) for own in told]


def _options(run: Run, set_by_hand: Collection[str]) -> dict[str, Any]:
    """Return the options of a run, with the weights of its heads and the labels it has.

    Args:
        run: with its model.
        set_by_hand: the heads whose weight is told although an option of the model states it.
    """
    options = {"labels": "all", **run_options(run.info)}
    options.pop("weights", None)
    weights = run.spec.weights(run.info["params"], run.info.get("weights"))
    for head in run.spec.heads:
        if head.name in set_by_hand or not isinstance(head.weight, str):
            options[f"λ {head.name}"] = weights[head.name]
    return options


@dataclass(frozen=True)
class FigureData:
    """A run and what a figure may show of it.

    Args:
        run: the run, with its model.
        samples: field to (samples, ...), of one split; one of every class first.
        fields: what each of them is.
        name: what a figure that shows two runs calls this one.
        split: field to the whole of that split, anything that slices; empty where it is not to be
            had.
        shown: the name of that split, "" where it is not to be had.
        dimensions: two dimensions of the code, from 0, where a figure shall show these.
    """

    run: Run
    samples: Mapping[str, np.ndarray]
    fields: Mapping[str, Field]
    name: str = ""
    split: Mapping[str, Any] = field(default_factory=dict)
    dimensions: tuple[int, int] | None = None
    shown: str = ""

    @property
    def scalars(self) -> dict[str, np.ndarray]:
        """The recorded table as columns (rows,); empty where nothing was recorded."""
        return self.run.scalars

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """The losses of every step as columns (rows,); empty where there are none."""
        return self.run.curves

    @cached_property
    def outputs(self) -> dict[str, np.ndarray]:
        """What the model makes of all samples: output to (samples, ...), without noise."""
        return predict(self.run.model, self.samples)

    @cached_property
    def whole(self) -> "FigureData":
        """The same with every sample of the split, where the data are to be had."""
        if any(name not in self.split for name in self.samples):
            return self
        samples = {name: np.asarray(self.split[name][:]) for name in self.samples}
        return replace(self, samples=samples, split={})

    @cached_property
    def image(self) -> str | None:
        """The output that gives an input image back, or None where the model has none."""
        return self.restored("image", 3)

    @cached_property
    def signal(self) -> str | None:
        """The output that gives a signal back, or a row of numbers, or None where there is none."""
        return self.restored("signal", 2) or self.restored("signal", 1)

    def restored(self, kind: str, axes: int) -> str | None:
        """Return the output that gives an input of this kind back, of so many axes, or None."""
        for head in self.run.model.heads:
            target_field = self.fields.get(head.target)
            seen = head.target in self.run.model.input and head.output == head.target
            fits = (
                seen
                and target_field
                and target_field.kind == kind
                and len(target_field.shape) == axes
            )
            if fits and self.run.was_trained(head):
                return head.output
        return None

    @cached_property
    def label(self) -> str | None:
        """The field of the classes, or None: `label` where there is one."""
        classes = [name for name, field in self.fields.items() if field.kind == "class"]
        labels = [name for name in classes if self.fields[name].shape == ()]
        return "label" if "label" in labels else next(iter(labels), None)

    @cached_property
    def encoder(self) -> Any:
        """The encoder, or None where the model has none with a `code`."""
        try:
            encoder = self.run.encoder
        except EdkitError:
            return None
        return encoder if "code" in encoder.output else None

    @cached_property
    def codes(self) -> np.ndarray | None:
        """The codes of all samples (samples, size), without noise."""
        return None if self.encoder is None else flat(predict(self.encoder, self.samples)["code"])

    @property
    def variational(self) -> bool:
        """Whether the encoder gives a distribution, so that N(0, 1) is the prior of its codes."""
        return self.encoder is not None and "posterior" in self.encoder.output

    def few(self, count: int) -> dict[str, np.ndarray]:
        """Return the first samples, one of every class where there are labels."""
        return {name: array[:count] for name, array in self.samples.items()}

    def class_name(self, number: int) -> str:
        """Return the name of a class of `label`, "no label" below 0."""
        return class_name(self.fields[self.label].classes if self.label else (), number)


def material(
    run: Run,
    other: Run | None = None,
    dimensions: tuple[int, int] | None = None,
    split: str | None = None,
) -> list[FigureData]:
    """Return what the figures of a run show, and that of a second run on the same samples.

    Where the run's data set is not to be had, the samples are the recorded reference batch.

    Args:
        run: the run.
        other: a second one.
        dimensions: two dimensions of the code, from 0.
        split: of the run's data; by default `validation`, or `train` where nothing was kept aside
            (`test` in runs of earlier versions, which were watched on it).

    Raises:
        EdkitError: there are no samples at all, or no such split, the second run takes other
            inputs, or the code has not got these dimensions.
    """
    name, arrays, samples = _samples(run, split)
    fields = {
        field: Field.from_facts(facts)
        for field, facts in run.info["fields"].items()
        if field in samples
    }
    runs = [run] if other is None else [run, other]
    for each in runs:
        _check_inputs(each, samples, run.info["data"])
    materials = [
        FigureData(each, samples, fields, called, arrays, dimensions, name)
        for each, called in zip(runs, names_of(runs), strict=True)
    ]
    if dimensions is not None:
        for one in materials:
            if one is materials[0] or one.codes is not None:  # figures leave out a second without
                _check_dimensions(one, dimensions)
    return materials


def _samples(
    run: Run, split: str | None
) -> tuple[str, Mapping[str, Any], Mapping[str, np.ndarray]]:
    """Return the split, all of its arrays, and the samples that are drawn.

    Where the data are not to be had, the samples are the recorded reference batch, of no split.
    """
    try:
        if split and split not in run.data.splits:
            raise EdkitError(
                f"data {run.info['data']!r} has no split {split!r}; it has: "
                f"{', '.join(run.data.splits)}."
            )
        name = split or _default_split(run)
        return name, run.data.splits[name], reference_batch(run.data, SAMPLES, name)
    except EdkitError:
        if split:
            raise
        with run.recording() as recording:
            samples = recording.reference()
        if not samples:
            raise
        return "", {}, samples


def _check_inputs(run: Run, samples: Mapping[str, np.ndarray], data: str) -> None:
    """Raise EdkitError where a run takes other inputs than the samples have."""
    for name, tensor in (inputs_of(run.model) or {}).items():
        samples_of_input = samples.get(name)
        if samples_of_input is None or samples_of_input.shape[1:] != tuple(tensor.shape[1:]):
            raise EdkitError(
                f"{str(run.path)!r} cannot be drawn on {data!r}: it needs {name!r} of shape "
                f"{tuple(tensor.shape[1:])}."
            )


def _default_split(run: Run) -> str:
    """Return the split that figures show where none is asked for."""
    earlier = "test" if is_earlier(run.info) else "train"
    return run.data.held_out() or (earlier if earlier in run.data.splits else "train")


def _check_dimensions(material: FigureData, dimensions: tuple[int, int]) -> None:
    """Raise EdkitError where the code has not got these dimensions."""
    if material.codes is None:
        raise EdkitError(
            f"{str(material.run.path)!r} has no encoder, and so no plane of codes: leave the "
            "dimensions out."
        )
    size = material.codes.shape[1]
    if not all(0 <= d < size for d in dimensions) or dimensions[0] == dimensions[1]:
        listed = ", ".join(str(d + 1) for d in dimensions)
        raise EdkitError(
            f"{str(material.run.path)!r} has a code of {size} dimensions, received dimensions "
            f"{listed}: choose two different ones from 1 on."
        )
