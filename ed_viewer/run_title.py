"""What runs are called, for people."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ed_viewer.messages import RunInfo

_STAMPED = re.compile(r"(.+)-(\d{8})-(\d{6})-[0-9a-f]{6}")
_FACTS = ("seed", "backend", "epochs")


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


def what_differs(one: RunInfo, other: RunInfo) -> tuple[str, str]:
    """Return the options of each run that are not those of the other: ("seed 0", "seed 1")."""
    ours, theirs = _options(one), _options(other)
    names = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    said = [
        " · ".join(f"{name} {_plain(options[name])}" for name in names)
        for options in (ours, theirs)
    ]
    return said[0], said[1]


def _options(run: RunInfo) -> dict[str, Any]:
    facts = run.header.run
    params = facts.get("params")
    given = (
        {str(name): value for name, value in params.items()} if isinstance(params, Mapping) else {}
    )
    return {**given, **{name: facts[name] for name in _FACTS if name in facts}}


def _plain(value: Any) -> str:
    return ",".join(str(v) for v in value) if isinstance(value, list | tuple) else str(value)
