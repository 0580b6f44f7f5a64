"""What runs are called, for people."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ed_core.recording.description import RUN_OPTIONS, differing, run_options, worded
from ed_viewer.reading.messages import RunEntry, RunInfo

_STAMPED = re.compile(r"(.+)-(\d{8})-(\d{6})-[0-9a-f]{6}")


def name_and_time(name: str) -> tuple[str, str]:
    """Return a run's name and when it began, out of its folder's name `name-date-time-random`."""
    found = _STAMPED.fullmatch(name)
    if found is None:
        return name, ""
    first, day, hour = found.groups()
    return first, f"{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:4]}"


def model_and_data(name: str) -> tuple[str, str]:
    """Return both out of a run's name `model-data`; "" for data where it has no such name."""
    model, _, data = name.partition("-")
    return model, data


def title_of(path: Path, other: Path | None, options: str) -> str:
    """Return what a run is called beside another: what differs first, the rest may have no room.

    Args:
        path: of the run.
        other: of the run beside it.
        options: its options that the other has not, in words.
    """
    name, time = name_and_time(path.name)
    alike = other is not None and name_and_time(other.name)[0] == name
    said = (options, name, time) if alike else (name, options, time)
    return " · ".join(part for part in said if part)


def differences(entries: Sequence[RunEntry]) -> dict[Path, str]:
    """Return of each run in which options it is not like all others of its name, in words."""
    alike: dict[str, list[RunEntry]] = {}
    for entry in entries:
        if entry.info:
            alike.setdefault(name_and_time(entry.path.name)[0], []).append(entry)
    return {entry.path: said for group in alike.values() for entry, said in _differing(group)}


def titles(entries: Sequence[RunEntry]) -> dict[Path, str]:
    """Return what runs are called beside each other: the name, what differs, when it began."""
    said = differences(entries)
    found = {}
    for entry in entries:
        name, began = name_and_time(entry.path.name)
        found[entry.path] = " · ".join(p for p in (name, said.get(entry.path, ""), began) if p)
    return found


def _differing(group: Sequence[RunEntry]) -> list[tuple[RunEntry, str]]:
    options = [run_options(entry.info) for entry in group]
    names = differing(options)
    return [
        (
            entry,
            " · ".join(f"{name} {worded(given[name])}" for name in names if name in given),
        )
        for entry, given in zip(group, options, strict=True)
    ]


def what_differs(one: RunInfo, other: RunInfo) -> tuple[str, str]:
    """Return the options of each run that are not those of the other: ("seed 0", "seed 1").

    Of different models, what one alone has is left out, and the data where the names say them.
    """
    ours, theirs = (run_options({**run.header.run, **run.info}) for run in (one, other))
    alike = name_and_time(one.path.name)[0] == name_and_time(other.path.name)[0]
    told = {*ours, *theirs} if alike else (ours.keys() & theirs | {*RUN_OPTIONS}) - {"data"}
    names = [name for name in differing((ours, theirs)) if name in told]
    said = [
        " · ".join(f"{name} {worded(given[name])}" for name in names if name in given)
        for given in (ours, theirs)
    ]
    return said[0], said[1]


def absolute_path(path: str | Path) -> Path:
    """Return the absolute path without `..`; links stay: a disk that hangs cannot be asked."""
    return Path(os.path.abspath(path))
