"""Specifications of fields, heads, data sets and models. No Keras in here."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ed_core.errors import EdkitError, FieldError, unknown
from ed_core.plugins.findings import Finding, read_facts
from ed_core.plugins.options import Option, check_options, options_of
from ed_core.recording.layout import PRESENT as PRESENT

OWN_SCALE = "_own_scale"
"""What follows the name of an input that was scaled by itself: (2,), the factor and the offset that
bring it back to what its file has."""

FieldKind = Literal["image", "video", "signal", "class", "value", "mask"]


@dataclass(frozen=True, slots=True)
class Field:
    """One named array of a data set.

    Args:
        shape: of one sample: (height, width, channels) for an image, (time, height, width,
            channels) for a video, (time, channels) for a signal, (numbers,) for one without time,
            such as a row of a table; of a class or a value () where a
            sample has one, (height, width) or (height, width, 1) where every pixel has one.
        kind: `image` and `video` (floats in 0..1), `signal` and `value` (any number), `class`
            (integers from 0), or `mask` (1 where a sample has a target, 0 where it has not).
        classes: the names of the classes, in the order of their numbers.
        colours: of the classes, such as "#0072b2"; by default the palette of figures and window.
        partial: whether a target may be missing: -1 stands for no class, NaN for no value. Of a
            signal, which is an input as well, a number may be missing: NaN is read as 0, its mean
            once it is standardised, and a field of kind mask, NAME_present, keeps it out of the
            losses.
        unit: of a value, such as "km" or "°"; "" where it has none.
        scale: of a value: the mean and the deviation that a model may start from.
        names: of the numbers of a signal without time, such as the columns of a table.
    """

    shape: tuple[int, ...]
    kind: FieldKind = "image"
    classes: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    partial: bool = False
    unit: str = ""
    scale: tuple[float, float] = (0.0, 1.0)
    names: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Its kind, shape and classes, as a message says them."""
        classes = f" of {', '.join(self.classes)}" if self.classes else ""
        return f"{self.kind} {self.shape}{classes}"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Field":
        """Return the field that `run.json` or a recording states."""
        return cls(
            tuple(facts["shape"]),
            facts["kind"],
            tuple(facts["classes"]),
            tuple(facts.get("colours", ())),
            bool(facts.get("partial", False)),
            str(facts.get("unit", "")),
            (float(facts.get("scale", (0, 1))[0]), float(facts.get("scale", (0, 1))[1])),
            tuple(facts.get("names", ())),
        )


class Fields(dict[str, Field]):
    """The fields of a data set by name; a missing one raises FieldError that lists the others."""

    def __missing__(self, name: str) -> Field:
        """Name the missing field and the ones there are."""
        names = ", ".join(sorted(self)) or "none"
        raise FieldError(
            f"the model needs a field {name!r}, but the data set has only: {names}.", name
        )


@dataclass(frozen=True, slots=True)
class Groups:
    """Which training samples belong together, so that no group is learned from and judged by.

    Windows of one recording, frames of one film, turns of one image.

    Args:
        of: the number of each sample's group, (samples,).
        in_time: whether the samples of a group lie in the order of time, so that the last ones of
            each may be kept aside where whole groups are too large or too few.
        overlap: how many samples after one share a part of it, such as windows that overlap.
    """

    of: np.ndarray
    in_time: bool = False
    overlap: int = 0


class Preparation(Protocol):
    """What a data set fits on what is trained on, and does to every sample that a run is shown."""

    def fit(self, train: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is fitted, ready for JSON.

        Args:
            train: what is trained on, field to (samples, ...).
        """
        ...

    def apply(self, arrays: Mapping[str, Any], fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return samples, of any split and of any file, as the model takes them.

        Args:
            arrays: field to (samples, ...); some fields may be missing.
            fitted: what `fit` returned.
        """
        ...


class Reversible(Preparation, Protocol):
    """A preparation that can be undone, so that results come in the units of the user's files.

    Where a data set's preparation has no `undo`, results stay as the model gives them.
    """

    def undo(self, arrays: Mapping[str, Any], fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return samples as the data set loads them, from those that a model gives.

        Args:
            arrays: field to (samples, ...); some fields may be missing.
            fitted: what `fit` returned.
        """
        ...


@dataclass(frozen=True, slots=True)
class InputRecord:
    """What a run knows of its input, as `run.json` keeps it under `input`.

    Args:
        fitted: what the data set fitted on what is trained on, such as a mean and a deviation; it
            is applied to everything that the run is shown later. None where nothing was yet.
        findings: what the loader inferred of the files that it read, and what it left out.
        reading: how the data set read a file before anything was fitted, such as the colour, the
            scale and the size of images, ready for JSON; its `FileReader` reads other files so.
            Under `ids` stands, by field, the number of each class in the files of a mask; under
            `units`, of images, the numbers `black` and `white` in the files, which become 0 and 1,
            and `span`, how many of its deviations an image then has between them, where each is
            standardised.
    """

    fitted: Mapping[str, Any] | None = None
    findings: tuple[Finding, ...] = ()
    reading: Mapping[str, Any] | None = None

    @classmethod
    def from_facts(cls, facts: Any) -> "InputRecord":
        """Return the record that `run.json` states; an empty one where it states none."""
        if not isinstance(facts, Mapping):
            return cls()
        fitted, reading = (
            value if isinstance(value, Mapping) else None
            for value in (facts.get("fitted"), facts.get("reading"))
        )
        return cls(fitted, read_facts(facts.get("findings")), reading)


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a sample in the picture that it was made of.

    Args:
        file: of the picture.
        size: its height and width, in pixels, upright.
        box: top, left, height and width of what the sample shows of it, in its pixels: a part of
            the picture where it was cropped, beyond the picture where it was padded.
    """

    file: Path
    size: tuple[int, int]
    box: tuple[float, float, float, float]


class FileSamples(Protocol):
    """Samples of a user's files for a run that exists, read when they are needed.

    They are as the data set loads them: what the run fitted is applied by whoever asks. Several
    threads read at the same time.
    """

    @property
    def names(self) -> Sequence[str]:
        """The name of each sample.

        It is the path of its file below the one that was opened, with `/` between folders; where a
        file has several, with the time or the row after a space.
        """
        ...

    @property
    def fields(self) -> Fields:
        """What is read; a shape may hold 0 for a length that differs from sample to sample."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was inferred of the files, and what was left out."""
        ...

    def read(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        """Return the samples of these rows without the samples' axis, field to array.

        One that cannot be read, or brought to what the run takes, is the error itself. Where a
        field was scaled sample by sample, its `OWN_SCALE` comes with it.
        """
        ...

    def place(self, row: int) -> Place | None:
        """Return where a sample that was read lies in its picture; None where it is of none."""
        ...


@dataclass(frozen=True, slots=True)
class FileReader:
    """How a data set reads a user's own files for a run that was trained on it, or on another.

    Args:
        endings: of the files that it reads, in small letters, such as ".png".
        open: a function of (path, fields, reading): a file or a folder, the fields that the run
            takes, and what `InputRecord.reading` keeps of the run's own files; {} where the run was
            trained on a data set of another kind, whose files are then brought to the fields alone.
            It raises EdkitError where there is nothing to read.
        preparation: applies what the data set fitted, where what is fitted does not tell how by
            itself, as a standardisation does: a run applies it where its training data are not.
        describe: a function of the data set's options that returns the file which describes a
            folder and the text that the folder amounts to; None where no file describes one.
        any_size: whether fields that `open` is asked for may have a height and a width of 0, which
            stand for those of each file, so that large pictures can be cut into tiles. What the run
            was trained on in tiles says so by `tile` in `InputRecord.reading`; its files are then
            read as tiles wherever the fields have the size of one.
        evidence: a function of a file or a folder of one of the endings that returns what in it
            speaks for this reader, such as "a clock, 'time'", and "" where nothing does. It is
            asked where other readers take the ending as well.
    """

    endings: tuple[str, ...]
    open: Callable[[Path, Fields, Mapping[str, Any]], FileSamples]
    preparation: Preparation | None = None
    describe: Callable[[Mapping[str, Any]], tuple[Path, str]] | None = None
    any_size: bool = False
    evidence: Callable[[Path], str] | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Named arrays in named splits.

    Args:
        fields: what each array holds.
        splits: split name (`train`, `test`, perhaps `validation`) to field name to array
            (samples, *field.shape): numpy, or anything that slices like it.
        whole: all samples in their order, where the loader drew the splits from one set itself;
            None where the data came in splits.
        groups: which samples of `train` belong together.
        preparation: what is fitted on what is trained on, and applied to all samples.
        input: what is known of the samples and of what was done to them; a loader of files states
            its findings here: `InputRecord(findings=tuple(findings))`.
    """

    fields: Fields
    splits: Mapping[str, Mapping[str, Any]]
    whole: Mapping[str, Any] | None = None
    groups: Groups | None = None
    preparation: Preparation | None = None
    input: InputRecord = InputRecord()

    def held_out(self) -> str:
        """Return the split to watch while training: `validation`, or "" where there is none."""
        return "validation" if "validation" in self.splits else ""


@dataclass(frozen=True, slots=True)
class Head:
    """One term of the objective: a loss on one named output, times its weight.

    The objective is the sum over the heads of weight times loss.

    Args:
        output: the output of the model that the loss looks at.
        loss: a function of (target, output), or of the output alone (a penalty, such as a KL
            divergence), that returns one value a sample (batch,) or a position (batch, ...). One
            that compares the samples of a batch takes a third argument, `mask`, which is 0 where
            a target is missing (the target is 0 there), or None where all have one.
        weight: lambda, a number, or the name of the model's option that holds it.
        target: the field to compare with; by default the one named like the output.
        mask: the field that is 1 where a sample has this target and 0 where it has not.
        metrics: functions of (target, output) that return one value a sample, logged only.
        over: take the mean over the `labelled` samples, or over the whole `batch`.
        name: what logs and `--weight` call the head; by default the output's name.
        warm_up: epochs, or the name of the model's option that holds them, over which the weight
            rises from 0 to lambda (KL annealing; Bowman et al., 2016).
        until: share of the steps of a training after which the head counts no more, in 0..1.
        after: the name of a head at whose end this one begins to count; it counts from the start
            where the model lacks that head.
        optional: whether the model may lack the output, and then the head.
    """

    output: str
    loss: Callable[..., Any]
    weight: float | str = 1.0
    target: str = ""
    mask: str = ""
    metrics: tuple[Callable[..., Any], ...] = ()
    over: Literal["labelled", "batch"] = "labelled"
    name: str = ""
    warm_up: float | str = 0.0
    until: float = 1.0
    after: str = ""
    optional: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.output)
        if not 0 < self.until <= 1:
            raise ValueError(
                f"head {self.name!r}: until is {self.until}, not above 0 and at most 1"
            )
        if self.over not in ("labelled", "batch"):
            raise ValueError(f"head {self.name!r}: over is {self.over!r}, not labelled or batch")
        if not self.needs_target:
            if self.target or self.metrics:
                raise ValueError(f"head {self.name!r}: a loss of the output alone has no target")
        elif not self.target:
            object.__setattr__(self, "target", self.output)

    @property
    def needs_target(self) -> bool:
        """Whether the loss compares with a target: it takes two arguments."""
        required = [
            p
            for p in inspect.signature(self.loss).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        return len(required) >= 2

    @property
    def needs_mask(self) -> bool:
        """Whether the loss wants to know itself which targets are there."""
        return "mask" in inspect.signature(self.loss).parameters


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A registered model: how to build it, what it is trained for, what to watch.

    The builder takes `fields` and keyword-only options and returns a functional Keras model with
    named inputs and outputs (dicts). Where they exist, its submodels are called `encoder` (inputs
    to a dict with `code`) and `decoder` (a dict with `code` to outputs).
    """

    name: str
    builder: Callable[..., Any]
    data: str
    heads: tuple[Head, ...]
    probes: tuple[Any, ...]
    optimizer: Callable[..., Any] | None = None
    augment: Callable[..., Any] | None = None
    initialise: Callable[..., None] | None = None

    @property
    def options(self) -> dict[str, Option]:
        """The builder's keyword-only parameters."""
        return options_of(self.builder)

    @property
    def summary(self) -> str:
        """The first line of the builder's docstring."""
        return (inspect.getdoc(self.builder) or "").partition("\n")[0]

    def check(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all options, defaults filled in; raises EdkitError on an unknown or wrong one."""
        return check_options(self.options, params, f"model {self.name!r}")

    def weights(
        self, params: Mapping[str, Any], changes: Mapping[str, float] | None = None
    ) -> dict[str, float]:
        """Return the weight of every head, by name, with `changes` applied."""
        weights = {head.name: float(_value(head.weight, params)) for head in self.heads}
        for name in changes or {}:
            if name not in weights:
                raise unknown(f"head of model {self.name!r}:", name, weights)
        return {**weights, **(changes or {})}

    def warm_ups(self, params: Mapping[str, Any]) -> dict[str, float]:
        """Return over how many epochs a weight rises, for the heads whose weight does."""
        epochs = {head.name: float(_value(head.warm_up, params)) for head in self.heads}
        return {name: count for name, count in epochs.items() if count > 0}


def _value(setting: float | str, params: Mapping[str, Any]) -> Any:
    """Return a number, or that of the option of this name."""
    return params[setting] if isinstance(setting, str) else setting


ArrayReader = Callable[[Mapping[str, Any], Mapping[str, Field]], Dataset]
"""A function of arrays by name, numpy or anything that slices like it, and of fields whose kind and
classes are known, which returns the arrays as a data set; it raises EdkitError where it cannot."""


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A registered data set: a function with keyword-only options that returns a Dataset.

    Args:
        name: the name.
        load: the function.
        files: reads a user's own files for a finished run; None where it has no files.
        arrays: reads the arrays of a program; None where it reads none.
    """

    name: str
    load: Callable[..., Dataset]
    files: FileReader | None = None
    arrays: ArrayReader | None = None

    @property
    def options(self) -> dict[str, Option]:
        """The function's keyword-only parameters."""
        return options_of(self.load)

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.load) or "").partition("\n")[0]
