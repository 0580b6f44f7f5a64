"""What the stage knows of a run that it shows, and what panels are made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ed_core.recording import ProbeInfo
from ed_viewer.messages import Frame, RunInfo
from ed_viewer.side import Heading
from ed_viewer.source import Source
from ed_viewer.theme import Theme


@dataclass(slots=True, eq=False)
class Shown:
    """What is known of one run."""

    run: RunInfo | None = None
    signed: bool = False
    sources: Mapping[str, Source] = field(default_factory=dict)
    frame: Frame | None = None
    heading: Heading | None = None
    notice: str = ""


def probes_of(shown: Shown) -> tuple[ProbeInfo, ...]:
    """Return the probes of a run, () while none is known."""
    return shown.run.header.probes if shown.run else ()


def source_of(
    probe: ProbeInfo, shown: Shown, side: str, twin: Source | None, theme: Theme
) -> Source:
    """Return what a panel is made from; `twin` is that of the same probe of the other run."""
    assert shown.run is not None
    fields, reference = shown.run.header.fields, shown.run.reference
    made = Source(probe, fields, reference, theme, side=side, signed=shown.signed)
    if twin is None or twin.probe.kind != probe.kind:
        return made
    return replace(made, ranges=twin.ranges)
