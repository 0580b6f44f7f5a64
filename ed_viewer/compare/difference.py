"""Difference B - A of two runs, and the arrays that can be subtracted. No widget is made here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ed_core.recording import ArrayInfo, ProbeInfo
from ed_viewer.panels.base import panel_class
from ed_viewer.reading.messages import Arrays, Frame, FrameHistory, RunInfo


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The difference of two runs' probes.

    Attributes:
        run: run B, its probes with those arrays alone of which there is a difference.
        reasons: why there is none, for the other probes of B.
    """

    run: RunInfo
    reasons: Mapping[str, str]

    def of(self, ours: Frame, theirs: Frame) -> Frame:
        """Return B - A, with the reason where there is none."""
        arrays: dict[str, Arrays] = {}
        damaged = {**theirs.damaged, **ours.damaged, **self.reasons}
        for probe in self.run.header.probes:
            name = probe.name
            if name in damaged or name not in ours.arrays or name not in theirs.arrays:
                continue
            try:
                arrays[name] = subtract(probe, ours.arrays[name], theirs.arrays[name])
            except ValueError as error:
                damaged[name] = str(error)
        past = {
            probe.name: made
            for probe in self.run.header.probes
            if probe.name in arrays and (made := _past(probe, ours, theirs)) is not None
        }
        return Frame(theirs.request, arrays, damaged, past)


def difference_of(ours: RunInfo, theirs: RunInfo) -> Difference:
    """Return what the difference of two runs consists of."""
    mine = {probe.name: probe for probe in ours.header.probes}
    samples = other_samples(ours, theirs)
    probes, reasons = [], {}
    for probe in theirs.header.probes:
        arrays, why = _common(mine.get(probe.name), probe, samples)
        probes.append(replace(probe, arrays=arrays) if not why else probe)
        if why:
            reasons[probe.name] = why
    header = replace(theirs.header, probes=tuple(probes))
    return Difference(replace(theirs, header=header), reasons)


def other_samples(ours: RunInfo, theirs: RunInfo) -> str:
    """Return why run B does not show the same samples as run A, "" if it does.

    Batches are the same as far as both go, in the fields that both have.
    """
    common = ours.reference.keys() & theirs.reference.keys()
    apart = not common and (ours.reference or theirs.reference)
    if not apart and all(_same(ours.reference[name], theirs.reference[name]) for name in common):
        return ""
    mine, yours = (str(run.header.run.get("data", "")) for run in (ours, theirs))
    data = f" (B: {yours!r}, A: {mine!r})" if mine != yours else ""
    return f"B was recorded on other samples than A{data}."


def _same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    count = min(len(ours), len(theirs))
    numbers = ours.dtype.kind == theirs.dtype.kind == "f"
    return np.array_equal(ours[:count], theirs[:count], equal_nan=numbers)


def _common(
    ours: ProbeInfo | None, theirs: ProbeInfo, samples: str
) -> tuple[Mapping[str, ArrayInfo], str]:
    """Return the arrays of B that can be subtracted from those of A, or why none can."""
    name, panel = theirs.name, panel_class(theirs)
    if ours is None or ours.kind != theirs.kind:
        return {}, f"Not recorded in A: {name}"
    if panel.no_difference:
        return {}, panel.no_difference
    if samples and any(info.axes[:1] == ("sample",) for info in theirs.arrays.values()):
        return {}, f"No difference: {samples}"
    arrays = {
        array: info
        for array, info in theirs.arrays.items()
        if array in ours.arrays and ours.arrays[array].shape == info.shape
    }
    if all(array in panel.places for array in arrays):
        shapes = [_shapes(probe, panel.places) for probe in (ours, theirs)]
        return {}, f"No difference: A has {shapes[0]}, B has {shapes[1]}."
    return arrays, ""


def subtract(probe: ProbeInfo, ours: Arrays, theirs: Arrays) -> Arrays:
    """Return B - A of the arrays of a probe, as float32; where they lie must be the same.

    Of arrays that the panel wants kept, `A/NAME` and `B/NAME`, as they are.

    Raises:
        ValueError: it is not; the message is for the user.
    """
    made: Arrays = {}
    for array in probe.arrays:
        if array in panel_class(probe).kept:
            made |= {f"A/{array}": ours[array], f"B/{array}": theirs[array]}
            continue
        here, there = (np.asarray(arrays[array], np.float32) for arrays in (ours, theirs))
        if array in panel_class(probe).places:
            if not np.allclose(here, there):
                raise ValueError(f"No difference: A and B have different {array}.")
            made[array] = there
        else:
            with np.errstate(invalid="ignore"):  # of two infinities: NaN, which is drawn as 0
                made[array] = there - here
    return made


def _past(probe: ProbeInfo, ours: Frame, theirs: Frame) -> FrameHistory | None:
    """Return B - A of earlier frames, None unless both have the same strip of them."""
    here, there = (frame.past.get(probe.name) for frame in (ours, theirs))
    if here is None or there is None or here.samples != there.samples:
        return None
    places = panel_class(probe).places
    names = [n for n in probe.arrays if n in here.arrays and n in there.arrays and n not in places]
    names = [n for n in names if here.arrays[n].shape == there.arrays[n].shape]
    if not names:
        return None
    with np.errstate(invalid="ignore"):  # as above; and where a run has no frame yet
        made = {name: there.arrays[name] - here.arrays[name] for name in names}
    return FrameHistory(np.where(here.steps < 0, -1, there.steps), there.samples, made)


def _shapes(probe: ProbeInfo, places: tuple[str, ...]) -> str:
    sizes = [
        f"{name} {' × '.join(str(n) for n in info.shape) or '1'}"
        for name, info in probe.arrays.items()
        if name not in places
    ]
    return ", ".join(sizes)
