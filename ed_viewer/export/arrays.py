"""The arrays behind what is on show, as one npz file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ed_viewer.known import Known
from ed_viewer.messages import Frame


def arrays_behind(
    known: Known, frame: Frame | None, probes: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return what was drawn: `probe/array`, `reference/field`, the run, and when it was taken.

    Earlier frames that stand beside it are `probe/over_time/array` (columns, samples, ...).

    Args:
        known: the run.
        frame: of it that is drawn; without one there is nothing.
        probes: by name; those that were not read are left out.
    """
    run, growth = known.run, known.growth
    if frame is None or run is None or growth is None:
        return {}
    number = frame.request.frame
    found = _drawn(frame, probes)
    found |= {f"reference/{field}": array for field, array in run.reference.items()}
    when = {"frame": number, "step": growth.steps[number], "epoch": growth.epochs[number]}
    about = {"run": run.path.name, **when}
    return found | {name: np.asarray(value) for name, value in about.items()}


def of_two(
    ours: Mapping[str, np.ndarray],
    theirs: Mapping[str, np.ndarray],
    difference: Frame | None = None,
    probes: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Return the arrays of two runs side by side: `A/...` and `B/...`.

    Args:
        ours: of run A.
        theirs: of run B.
        difference: B - A where it is shown, which becomes `B-A/probe/array`.
        probes: of the difference, by name.
    """
    sides = {"A": ours, "B": theirs}
    if difference is not None:
        sides["B-A"] = _drawn(difference, probes)
    return {
        f"{side}/{name}": array for side, arrays in sides.items() for name, array in arrays.items()
    }


def _drawn(frame: Frame, probes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays of probes, those that were not read left out."""
    found = {
        f"{probe}/{name}": array
        for probe in probes
        for name, array in frame.arrays.get(probe, {}).items()
    }
    for probe in probes:
        past = frame.past.get(probe)
        if past is not None:
            facts = {"steps": past.steps, "samples": np.asarray(past.samples), **past.arrays}
            found |= {f"{probe}/over_time/{name}": array for name, array in facts.items()}
    return found


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name, compressed; the file's name is kept as it is."""
    with open(path, "wb") as file:
        np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]
