"""Reader of a user's arrays for a run: the axes, the scale and the classes of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ed_core import EdkitError, Field, Fields, FileReader, Findings
from ed_core.data.memory import check_memory
from ed_core.plugins.spec import OWN_SCALE
from ed_plugins.datasets._lazy import SPAN, LazyView, Standardised, with_scale
from ed_plugins.datasets._samples import FilePart, JoinedSamples, files_of
from ed_plugins.datasets.arrays.axes import align, maps_of, sizes_of
from ed_plugins.datasets.arrays.fields import ArraySource, FieldArrays, make_field
from ed_plugins.datasets.arrays.files import Stored, read_file, unpacked_bytes
from ed_plugins.datasets.arrays.names import name_arrays, name_of_models
from ed_plugins.datasets.arrays.options import ArrayOptions, RunScale, UnfitError
from ed_plugins.datasets.arrays.scale import SameScale, type_of

_INPUTS = ("image", "video", "signal")
_CODED = (("-1", "1"), ("0", "255"))  # classes that are no numbers from 0 up


def reading_of(source: ArraySource, made: FieldArrays, options: ArrayOptions) -> dict[str, Any]:
    """Return how a field was read, ready for JSON: its name, axes, numbers and scale."""
    name, view = source.name, made.arrays[0]
    facts: dict[str, Any] = {"array": name, "axes": made.axes, "kind": made.field.kind}
    if not source.parts[0].is_text:
        facts["type"] = type_of(source.parts[0].dtype)
    if made.field.kind in ("image", "video"):
        scaled = isinstance(view, LazyView) and view.white is not None
        facts["black"], facts["white"] = (view.black, view.white) if scaled else (0, 1)
        facts["cut"] = name in options.range or "" in options.range
    if options.standardise and made.field.kind == "image":
        facts["standardise"] = True
    ignored = options.ignore.get(name, options.ignore.get("")) if made.field.kind == "class" else ()
    void = view.void if isinstance(view, LazyView) else None
    if ignored or void is not None:
        facts["ignore"] = [*ignored] if ignored else [void]
    return facts


def units_of(reading: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the numbers that stand for 0 and 1 in the file, of the fields that are images."""
    return {
        name: {
            "black": float(facts["black"]),
            "white": float(facts["white"]),
            **({"span": SPAN} if facts.get("standardise") else {}),
        }
        for name, facts in reading.items()
        if "white" in facts
    }


def ids_of(fields: Fields) -> dict[str, list[int]]:
    """Return the number of each class in the file, of the fields that are maps of classes."""
    return {
        name: [*map(int, field.classes)]
        if field.classes in _CODED
        else [*range(len(field.classes))]
        for name, field in fields.items()
        if field.kind == "class" and len(field.shape) > 1
    }


def open_arrays(path: Path, fields: Fields, reading: Mapping[str, Any]) -> JoinedSamples:
    """Return the samples in a file of arrays, or in a folder of such files, as a run takes them.

    Args:
        path: of the file or the folder.
        fields: that the run takes.
        reading: how the run's own arrays were read; {} where they were of another kind.

    Raises:
        EdkitError: no file can be read.
    """
    findings = Findings()
    stated = reading.get("arrays")
    plan = _ArrayReading(fields, stated if isinstance(stated, Mapping) else {}, findings)
    parts: list[FilePart] = []
    for file, name in files_of(path, READER.endings, findings):
        try:
            parts.extend(_parts(file, name, plan))
        except EdkitError as error:
            parts.append(FilePart(name, error=error))
    return JoinedSamples(parts, findings)


def _evidence(path: Path) -> str:
    """Return an array of three axes or more, which no table has; "" where there is none."""
    files = [file for file, _ in files_of(path, READER.endings, Findings())]
    for name, stored in read_file(files[0]).arrays.items():
        if len(stored.shape) > 2:
            return f"{name} has the axes {' x '.join(map(str, stored.shape))}"
    return ""


READER = FileReader(
    (".npz", ".npy", ".h5", ".hdf5", ".mat"), open_arrays, SameScale(), evidence=_evidence
)


@dataclass(frozen=True, slots=True)
class _ArrayReading:
    """What is read of every file: the fields, how the run read its own, and the findings."""

    fields: Fields
    stated: Mapping[str, Any]
    findings: Findings

    def facts(self, field: str) -> Mapping[str, Any]:
        """Return how the run read a field, {} if it says nothing."""
        facts = self.stated.get(field)
        return facts if isinstance(facts, Mapping) else {}


def _parts(path: Path, name: str, plan: _ArrayReading) -> list[FilePart]:
    """Return the samples of one file, a part a split."""
    named = name_arrays(read_file(path), str(path), alone=True)
    parts = []
    for split, arrays in named.splits.items():
        chosen = _chosen(arrays, plan, str(path))
        check_memory(
            sum(map(unpacked_bytes, chosen.values())),
            repr(str(path)),
            "save it as HDF5, which is read in pieces",
        )
        axes = {
            field: str(plan.facts(field).get("axes", ""))
            for field, stored in chosen.items()
            if len(str(plan.facts(field).get("axes", ""))) == len(stored.shape)
        }
        fields, views = _first_that_fits(chosen, plan, ([axes] if axes else []) + [{}])
        count = len(next(iter(views.values())))
        alone = count == 1 and len(named.splits) == 1
        labels = _Rows(count, f"{split}/" if split else "") if not alone else ("",)
        parts.append(FilePart(name, labels, _reader(views, fields, str(path)), fields))
    return parts


@dataclass(frozen=True, slots=True)
class _Rows(Sequence[str]):
    """Numbers of rows from 0, with their split before them."""

    size: int
    split: str

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, row: Any) -> Any:
        return f"{self.split}{range(self.size)[row]}"


def _chosen(arrays: Mapping[str, Stored], plan: _ArrayReading, path: str) -> dict[str, Stored]:
    """Return the array of each field: by its name, or the only one that fits.

    Raises:
        EdkitError: a field has none.
    """
    chosen = {}
    for name, field in plan.fields.items():
        if field.kind == "mask":
            continue
        own = str(plan.facts(name).get("array", name))
        aliases = [one for one in arrays if name_of_models(one, True) == name]
        stored = next((arrays[one] for one in (own, name, *aliases) if one in arrays), None)
        fitting = [one for one in arrays.values() if _fits(one, field)]
        if stored is None and field.kind in _INPUTS and len(fitting) == 1:
            stored = fitting[0]
        if stored is not None:
            chosen[name] = _of_one(stored, field)
        else:
            listed = ", ".join(f"{one} {stored.shape}" for one, stored in [*arrays.items()][:8])
            raise EdkitError(
                f"{path!r}: expected an array {name!r} of samples {field.shape}, found "
                f"{listed or 'none'}: save it under that name."
            )
    return chosen


def _fits(stored: Stored, field: Field) -> bool:
    """Return whether an array has the axes of samples of a field, or of one sample."""
    axes = len(field.shape)
    without = axes - (field.kind in _INPUTS and axes > 1)  # of channels
    return not stored.is_text and len(stored.shape) in {axes + 1, without + 1} | (
        {axes, without} if _is_one(stored, field) else set()
    )


def _is_one(stored: Stored, field: Field) -> bool:
    """Return whether an array is a single sample of a field, without an axis of samples."""
    grey = field.shape[:-1] if field.kind in _INPUTS and field.shape[-1:] == (1,) else field.shape
    return field.kind in _INPUTS and stored.shape in (field.shape, grey)


def _of_one(stored: Stored, field: Field) -> Stored:
    """Return an array of samples of an array that may be one sample."""
    if not _is_one(stored, field):
        return stored
    whole = np.asarray(stored.view()[:])[None]
    return replace(stored, array=whole, order=tuple(range(whole.ndim)))


def _first_that_fits(
    chosen: Mapping[str, Stored], plan: _ArrayReading, choices: Sequence[Mapping[str, str]]
) -> tuple[Fields, dict[str, Any]]:
    """Return the fields and arrays by the first axes that fit the run: its own, else inferred."""
    errors = []
    for axes in choices:
        try:
            return _read(chosen, plan, axes)
        except EdkitError as error:
            errors.append(error)
    raise errors[0]


def _read(
    chosen: Mapping[str, Stored], plan: _ArrayReading, axes: Mapping[str, str]
) -> tuple[Fields, dict[str, Any]]:
    """Return the fields and their arrays, samples first."""
    options = _options(chosen, plan, axes)
    aligned = align(chosen, options)
    for name, reason in aligned.left.items():
        raise EdkitError(f"{chosen[name].where}: {reason}.")
    fields, views = Fields(), {}
    for name, part in aligned.arrays.items():
        field = plan.fields[name]
        beside = [one.shape[1:] for other, one in aligned.arrays.items() if other != name]
        part = with_classes(part, field)
        last = name in aligned.last
        source = ArraySource(name, [part], maps_of(beside), sizes_of(beside), last)
        findings = Findings()
        made = make_field(source, options, findings)
        _check_shape(part, made.field, field)
        for finding in findings:
            plan.findings.infer(finding.about, finding.text)
        fields[name], views[name] = made.field, made.arrays[0]
        if plan.facts(name).get("standardise") is True:
            views[name] = Standardised(views[name])
        if field.kind == "class" and made.field.classes != field.classes:
            views[name] = _renumbered(views[name], made.field, field, part.where)
            fields[name] = replace(made.field, classes=field.classes)
    return fields, views


def _options(
    chosen: Mapping[str, Stored], plan: _ArrayReading, axes: Mapping[str, str]
) -> ArrayOptions:
    """Return the options by which the arrays are read as the run's own were."""
    scale: dict[str, RunScale] = {}
    ignore: dict[str, tuple[int, ...]] = {}
    for name in chosen:
        facts = plan.facts(name)
        if "white" in facts:
            ends = float(facts["black"]), float(facts["white"])
            scale[name] = RunScale(str(facts["type"]), *ends, bool(facts["cut"]))
        if "ignore" in facts:
            ignore[name] = tuple(map(int, facts["ignore"]))
    kind = {name: plan.fields[name].kind for name in chosen}
    return ArrayOptions(dict(axes), {}, dict(kind), ignore, 0, scale)


def with_classes(stored: Stored, field: Field) -> Stored:
    """Return labels with the classes of a run, which their numbers or texts are then of."""
    stated = stored.classes or field.kind != "class"
    if stated or (field.classes in _CODED and not stored.is_text):
        return stored
    return replace(stored, classes=field.classes)


def _check_shape(part: Stored, own: Field, field: Field) -> None:
    """Raise UnfitError where samples are not of a run's; an image may be of any size."""
    sizes = slice(-1, None) if field.kind == "image" else slice(None)
    if len(own.shape) != len(field.shape) or own.shape[sizes] != field.shape[sizes]:
        what = f"{field.shape[-1]} channels" if field.kind == "image" else f"{field.shape}"
        raise UnfitError(
            part.where,
            f"expected {field.kind}s of {what}, as the run was trained on, found {own.shape}: "
            "give arrays like those",
        )


def _renumbered(labels: np.ndarray, own: Field, field: Field, where: str) -> np.ndarray:
    """Return class numbers as the run has them, by their names."""
    if strange := [one for one in own.classes if one not in field.classes]:
        raise UnfitError(
            where,
            f"expected the classes {', '.join(field.classes)[:80]}, found {strange[0][:40]!r}: "
            "leave those samples out",
        )
    order = np.array([field.classes.index(one) for one in own.classes])
    return np.where(labels >= 0, order[np.maximum(labels, 0)], -1)


def _reader(
    views: Mapping[str, Any], fields: Fields, path: str
) -> Callable[[range], dict[str, np.ndarray]]:
    """Return what reads some rows; a number that is not finite, where none may lack, is refused."""

    def read(rows: range) -> dict[str, np.ndarray]:
        key = slice(rows.start, rows.stop, rows.step)
        arrays: dict[str, np.ndarray] = {}
        for name, view in views.items():
            if isinstance(view, Standardised):
                arrays[name], arrays[name + OWN_SCALE] = with_scale(np.asarray(view.array[key]))
            else:
                arrays[name] = np.asarray(view[key])
        for name, array in arrays.items():
            inputs = name in fields and fields[name].kind in ("image", "video")
            if inputs and not np.isfinite(array).all():
                raise EdkitError(
                    f"{path!r}, array {name!r}: expected finite numbers, found others in samples "
                    f"{rows.start} to {rows.stop - 1}: fill them."
                )
        return arrays

    return read
