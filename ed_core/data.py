"""A data set and its options as one text, such as `folder:scenes.toml` or `digits`."""

import re
from pathlib import Path
from typing import Any

from ed_core.errors import EdkitError, one_line
from ed_core.options import FilePath, check_options
from ed_core.plugins import DATASETS
from ed_core.spec import Dataset, DatasetSpec

_NEXT = re.compile(r",(?=\w+=)")


def settle_data(text: str) -> str:
    """Return a data set's text with all that was given checked, and paths made absolute.

    `NAME`, `NAME:KEY=VALUE,KEY=VALUE`, or `NAME:VALUE`, which is the first option's.

    Raises:
        EdkitError: the data set or an option is unknown, or a value has the wrong type.
    """
    name, given = given_options(text)
    options = ",".join(f"{key}={_written(value)}" for key, value in given.items())
    return f"{name}:{options}" if options else name


def given_options(text: str) -> tuple[str, dict[str, Any]]:
    """Return the data set that a text names and the options that are not at their default."""
    spec, values = _parsed(text)
    changed = {k: v for k, v in values.items() if v != spec.options[k].default}
    return spec.name, changed


def load_data(text: str) -> Dataset:
    """Load the data set that a text names; raises EdkitError as `settle_data` does."""
    spec, options = _parsed(text)
    try:
        return spec.load(**options)
    except (EdkitError, MemoryError):
        raise
    except Exception as error:  # a foreign plugin may fail in any way
        raise EdkitError(f"data set {text!r} failed: {one_line(error)}.") from error


def short_data(text: str) -> str:
    """Return what a run is called after: the data set's name, or that of the file it reads."""
    spec, given = _parsed(text)
    files = [given[name] for name, option in spec.options.items() if option.type is FilePath]
    named = [Path(path).stem for path in files if path]
    return named[0] if named else spec.name


def _parsed(text: str) -> tuple[DatasetSpec, dict[str, Any]]:
    """Return the registered data set and the value of every option."""
    name, _, rest = text.partition(":")
    spec = DATASETS[name]
    options = spec.options
    given: dict[str, Any] = {}
    for number, part in enumerate(_NEXT.split(rest) if rest else ()):
        key, equals, value = part.partition("=")
        if not equals or not key.isidentifier():
            if number or not options:
                raise EdkitError(
                    f"data set {name!r} takes {name}:KEY=VALUE,KEY=VALUE with the options "
                    f"{', '.join(options) or 'none'}; received {part!r}."
                )
            key, value = next(iter(options)), part
        given[key] = options[key].parse(value) if key in options else value
    return spec, check_options(options, given, f"data set {name!r}")


def _written(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
