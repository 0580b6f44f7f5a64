"""What is known of a run, whoever reads it: a session with its thread, or an export without one."""

from pathlib import Path
from typing import Protocol

from ed_viewer.alignment import Times, times_of
from ed_viewer.messages import Growth, RunInfo


class Known(Protocol):
    """A run that may not be known yet, and may grow.

    Attributes:
        path: None before one was asked for.
        run, growth: None until they have been read.
    """

    @property
    def path(self) -> Path | None: ...  # noqa: D102

    @property
    def run(self) -> RunInfo | None: ...  # noqa: D102

    @property
    def growth(self) -> Growth | None: ...  # noqa: D102


def known_times(known: Known) -> Times | None:
    """Return when the frames of a run were taken, None while nothing is known."""
    if known.run is None or known.growth is None:
        return None
    return times_of(known.run, known.growth)
