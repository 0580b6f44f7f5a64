"""Names of runs, and the options that distinguish them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ed_core.recording.run_description import RUN_OPTIONS, differing, run_options, worded
from ed_viewer.reading.messages import RunEntry, RunInfo

_STAMPED = re.compile(r"(.+)-(\d{8})-(\d{6})-[0-9a-f]{6}")


def name_and_time(name: str) -> tuple[str, str]:
    """Return a run's name and start, from its folder's name `name-date-time-random`."""
    match = _STAMPED.fullmatch(name)
    if match is None:
        return name, ""
    first, day, hour = match.groups()
    return first, f"{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:4]}"


def model_and_data(name: str) -> tuple[str, str]:
    """Return both from a run's name `model-data`; "" for data without such a name."""
    model, _, data = name.partition("-")
    return model, data


def title_of(path: Path, other: Path | None, options: str) -> str:
    """Return the title of a run beside another: differences first, since the rest may be cut.

    Args:
        path: of the run.
        other: of the run beside it.
        options: its options that the other has not, in words.
    """
    name, time = name_and_time(path.name)
    alike = other is not None and name_and_time(other.name)[0] == name
    parts = (options, name, time) if alike else (name, options, time)
    return " · ".join(part for part in parts if part)


def differences(entries: Sequence[RunEntry]) -> dict[Path, str]:
    """Return the options of each run that differ among runs of its name, in words."""
    alike: dict[str, list[RunEntry]] = {}
    for entry in entries:
        if entry.info:
            alike.setdefault(name_and_time(entry.path.name)[0], []).append(entry)
    return {entry.path: text for group in alike.values() for entry, text in _differing(group)}


def titles(entries: Sequence[RunEntry]) -> dict[Path, str]:
    """Return the titles of runs: name, differing options, start."""
    options = differences(entries)
    titles_by_path = {}
    for entry in entries:
        name, began = name_and_time(entry.path.name)
        titles_by_path[entry.path] = " · ".join(
            p for p in (name, options.get(entry.path, ""), began) if p
        )
    return titles_by_path


def _differing(group: Sequence[RunEntry]) -> list[tuple[RunEntry, str]]:
    options = [run_options(entry.info) for entry in group]
    names = differing(options)
    return [
        (
            entry,
            " · ".join(
                f"{name} {worded(run_options[name])}" for name in names if name in run_options
            ),
        )
        for entry, run_options in zip(group, options, strict=True)
    ]


def what_differs(one: RunInfo, other: RunInfo) -> tuple[str, str]:
    """Return the options of each run that are not those of the other: ("seed 0", "seed 1").

    Of different models, what one alone has is left out, and the data where the names say them.
    """
    ours, theirs = (run_options({**run.header.run, **run.info}) for run in (one, other))
    alike = name_and_time(one.path.name)[0] == name_and_time(other.path.name)[0]
    considered = {*ours, *theirs} if alike else (ours.keys() & theirs | {*RUN_OPTIONS}) - {"data"}
    names = [name for name in differing((ours, theirs)) if name in considered]
    texts = [
        " · ".join(f"{name} {worded(options[name])}" for name in names if name in options)
        for options in (ours, theirs)
    ]
    return texts[0], texts[1]


def absolute_path(path: str | Path) -> Path:
    """Return the absolute path without `..`; links stay: a disk that hangs cannot be asked."""
    return Path(os.path.abspath(path))
