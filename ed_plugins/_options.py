"""What the options of several data sets have in common."""

import numpy as np

from ed_core import EdkitError, FilePath, RunPath

NO_FILE = FilePath("")
NO_RUN = RunPath("")


def check_least(least: int, **options: int) -> None:
    """Raise EdkitError for the first option below `least`."""
    for name, value in options.items():
        if value < least:
            raise EdkitError(f"option {name!r} is at least {least}, received {value}.")


def generator(seed: int, *numbers: int) -> np.random.Generator:
    """Return a generator for the seed and for each of its uses; a negative seed is one as well."""
    return np.random.default_rng([seed % 2**64, *numbers])
