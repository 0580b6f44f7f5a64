"""Table of the samples a second of each backend on this machine, kept in the user's cache."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from ed_core.engine.choice import installed_backends
from ed_core.errors import EdkitError

FORMAT = 1
ROUND = 1.5
"""Seconds of one measurement, at least; it ends with an epoch."""

_AGAIN = "edkit bench measures again"


def table_file() -> Path:
    """Return where the table lies: one of a user on a machine."""
    return Path(user_cache_dir("edkit")) / "backends.json"


def machine() -> dict[str, Any]:
    """Return what decides how fast this machine is, as far as can be seen without a backend."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "processors": os.cpu_count() or 1,
        "accelerators": _accelerators(),
    }


def versions() -> dict[str, str]:
    """Return the installed versions that decide how fast a training is."""
    ours = {name: importlib.metadata.version(name) for name in ("edkit", "keras")}
    return {**ours, **installed_backends()}


def new_table() -> dict[str, Any]:
    """Return a table in which nothing is measured yet."""
    return {"format": FORMAT, "machine": machine(), "versions": versions(), "models": {}}


def read_table() -> dict[str, Any]:
    """Return the table, an empty one where there is none.

    `models` holds, by name, `data`, `date`, `seconds` that measuring took, `recommended`, and
    `rates`: by backend `median`, `lowest` and `highest` samples a second; `problems`: by backend.

    Raises:
        EdkitError: it is damaged, of another machine or of other versions; in a few words why.
    """
    path = table_file()
    try:
        table = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return new_table()
    except (OSError, ValueError) as error:
        raise EdkitError(f"{str(path)!r} cannot be read; {_AGAIN}") from error
    return checked_table(table, str(path))


def checked_table(table: Any, where: str) -> dict[str, Any]:
    """Return what a file holds, once all of it can be used; raises as `read_table`."""
    if not _is_table(table):
        raise EdkitError(f"{where!r} is no table of backends; {_AGAIN}")
    if table["machine"] != machine():
        raise EdkitError(f"{where!r} is of another machine; {_AGAIN}")
    if table["versions"] != versions():
        raise EdkitError(f"{where!r} is of other versions than are installed; {_AGAIN}")
    return dict(table)


def keep_table(table: Mapping[str, Any]) -> Path:
    """Write the table, whole or not at all, and return where it is.

    Raises:
        OSError: it cannot be written.
    """
    from ed_core.recording import written_whole  # reading does without what that imports

    path = table_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        part.write_text(json.dumps(table, indent=1, allow_nan=False), "utf-8")
    return path


def entry(data: str, rates: Mapping[str, list[float]], problems: Mapping[str, str]) -> dict:
    """Return what the table holds of a model.

    Args:
        data: the data set that it was trained on.
        rates: samples a second of every round, by backend.
        problems: why a backend could not be measured, by backend.
    """
    summaries = {name: _summary(values) for name, values in rates.items() if values}
    return {
        "data": data,
        "date": date.today().isoformat(),
        "rates": summaries,
        "problems": dict(problems),
        "recommended": max(summaries, key=lambda name: summaries[name]["median"], default=""),
    }


def fastest(model: str) -> tuple[str, str]:
    """Return the backend that was the fastest for a model here, and why; "" where none is known.

    Raises:
        EdkitError: the table cannot be used.
    """
    measured = read_table()["models"].get(model)
    if not measured or not measured["recommended"]:
        return "", ""
    name, rates = measured["recommended"], measured["rates"]
    others = ", ".join(f"{other} {rates[other]['median']:,.0f}" for other in rates if other != name)
    beside = f" beside {others}" if others else ""
    return name, (
        f"the fastest here for {model} by edkit bench of {measured['date']}: "
        f"{rates[name]['median']:,.0f}{beside} samples/s"
    )


def _summary(values: list[float]) -> dict[str, float]:
    import statistics

    middle = statistics.median(values)
    return {"median": middle, "lowest": min(values), "highest": max(values)}


def _is_table(table: Any) -> bool:
    """Return whether a file holds what `keep_table` writes."""
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        return False
    parts = [table.get(name) for name in ("machine", "versions", "models")]
    return all(isinstance(part, dict) for part in parts) and all(
        isinstance(name, str) and _is_entry(value) for name, value in table["models"].items()
    )


def _is_entry(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    texts = all(isinstance(value.get(name), str) for name in ("data", "date", "recommended"))
    dicts = all(isinstance(value.get(name), dict) for name in ("rates", "problems"))
    if not texts or not dicts or not _is_seconds(value.get("seconds", 0)):
        return False
    rates = value["rates"]
    names = ("median", "lowest", "highest")
    return value["recommended"] in ("", *rates) and all(
        isinstance(rate, dict) and all(_is_seconds(rate.get(name)) for name in names)
        for rate in rates.values()
    )


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _accelerators() -> list[str]:
    """Return the names of NVIDIA's devices that a backend may use; elsewhere none is looked for."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1"):
        return []
    names = []
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        try:
            text = file.read_text("utf-8", "replace")
        except OSError:
            text = ""
        names.append(text.partition("Model:")[2].partition("\n")[0].strip() or "unknown")
    return names
