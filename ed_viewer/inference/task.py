"""Task of a run on a user's files: the verbs that it offers, and the command of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ed_core.palette import class_colour
from ed_core.recording import ProbeInfo
from ed_viewer.new_run.command import plugins, program
from ed_viewer.reading.messages import RunInfo

VERBS = {
    "score": "Score: how odd is each sample?",
    "segment": "Segment: the class of every pixel",
    "predict": "Predict classes and values",
    "reconstruct": "Reconstruct",
    "encode": "Encode: the code of each sample",
}
"""The verbs on files and what they do, the one that says most of a run first."""

_TABLES = {
    "score": "scores.csv",
    "segment": "classes.npz",
    "predict": "predictions.csv",
    "reconstruct": "reconstructions.csv",
    "encode": "codes.csv",
}
_BOTH = "predictions.npz"  # numbers and maps of one run have no place in a table
MAPS = "maps"
"""The folder of heat maps, beside the scores."""
_SEARCHED = 10_000  # names
_PICTURES = ("image", "video")

ClassKey = tuple[str, str]
"""The colour of a class, as #rrggbb or by name, and its name."""


@dataclass(frozen=True, slots=True)
class OfferedVerb:
    """One verb that a run offers.

    Attributes:
        name: as the command has it.
        file: that it writes into the folder of results; "" where the folder itself is filled with
            pictures.
        options: that the window gives it.
        key: of the colours that stand in its pictures.
    """

    name: str
    file: str = ""
    options: tuple[str, ...] = ()
    key: tuple[ClassKey, ...] = ()

    @property
    def words(self) -> str:
        """What it does, for people."""
        return VERBS[self.name]


@dataclass(frozen=True, slots=True)
class InferenceTask:
    """A run, a verb, an input, and the folder of its results.

    Attributes:
        run: the run folder.
        verb: what it does.
        input: a file or a folder.
        folder: of the results.
    """

    run: Path
    verb: OfferedVerb
    input: Path
    folder: Path

    @property
    def arguments(self) -> list[str]:
        """The command, from the verb on."""
        output = self.folder / self.verb.file if self.verb.file else self.folder
        maps = ["--maps", str(self.folder / MAPS)] if MAPS in self.verb.options else []
        flags = [option for option in self.verb.options if option != MAPS]
        paths = ["--output", str(output), *maps, *flags, *plugins(), "--"]
        return [self.verb.name, *paths, str(self.run), str(self.input)]

    @property
    def command(self) -> list[str]:
        """The program and its arguments."""
        return [*program(), *self.arguments]


def offered(run: RunInfo) -> list[OfferedVerb]:
    """Return the verbs that a run offers as far as its recording tells, the first of most use."""
    fields, probes = run.header.fields, run.header.probes
    verbs = {}
    inputs = {str(facts.get("kind")) for facts in fields.values() if facts.get("input", True)}
    if run.info.get("detector"):
        has_maps = "image" in inputs
        verbs["score"] = OfferedVerb("score", _TABLES["score"], (MAPS,) if has_maps else ())
    for probe in probes:
        if probe.kind == "reconstruction" and probe.options.get("compared") is not False:
            kind = fields.get(str(probe.options.get("field")), {}).get("kind")
            verbs["reconstruct"] = OfferedVerb(
                "reconstruct", "" if kind in _PICTURES else _TABLES["reconstruct"]
            )
        elif probe.kind == "latent_codes":
            verbs["encode"] = OfferedVerb("encode", _TABLES["encode"])
    masks = [p for p in probes if p.kind == "predictions" and "classes" in p.arrays]
    if masks:
        targets = [fields.get(str(mask.options.get("target")), {}) for mask in masks]
        keys = dict.fromkeys(key for facts in targets for key in _key(facts))
        verbs["segment"] = OfferedVerb("segment", "", ("--overlay",), tuple(keys))
    if file := _prediction_file(probes):
        verbs["predict"] = OfferedVerb("predict", file.removeprefix("."))
    return [verbs[name] for name in VERBS if name in verbs]


def _key(facts: Mapping[str, Any]) -> list[ClassKey]:
    """Return the key of the classes of a field, in the colours that the command gives them."""
    own = [str(colour) for colour in facts.get("colours") or ()]
    names = [str(name) for name in facts.get("classes") or ()]
    return [(class_colour(number, own), name) for number, name in enumerate(names)]


def _predicted(probes: tuple[ProbeInfo, ...]) -> list[Mapping[str, Any]]:
    return [probe.arrays for probe in probes if probe.kind == "predictions"]


def _prediction_file(probes: tuple[ProbeInfo, ...]) -> str:
    """Return where predictions go: a table, "." for a folder of maps, or "" without any."""
    values = [arrays["values"] for arrays in _predicted(probes) if "values" in arrays]
    maps = [value for value in values if len(value.shape) > 2]
    has_numbers = len(values) > len(maps) or any("probabilities" in a for a in _predicted(probes))
    if maps and has_numbers:
        return _BOTH
    return "." if maps else _TABLES["predict"] if has_numbers else ""


def free_folder(source: Path, verb: str, parent: Path | None = None) -> Path:
    """Return a folder for results that does not exist yet.

    Args:
        source: the input.
        verb: what is made of it.
        parent: where it lies; by default beside the input.
    """
    base = f"{source.name if source.is_dir() else source.stem}-{verb}"
    parent = parent or source.parent
    names = (base, *(f"{base}-{number}" for number in range(2, _SEARCHED)))
    return next(parent / name for name in names if not (parent / name).exists())
