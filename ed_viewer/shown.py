"""What the stage knows of the runs that it shows, and what their panels are made from."""

from collections.abc import ItemsView, Mapping
from dataclasses import dataclass, field, replace

from ed_core.recording import ProbeInfo
from ed_viewer.decoder import Decoder
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


class ShownRuns:
    """Run "A" and, while two are compared, run "B" beside it.

    Args:
        theme: colours and type of their panels.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._runs = {"A": Shown()}
        self._shared = True

    def __getitem__(self, side: str) -> Shown:
        return self._runs[side]

    def items(self) -> ItemsView[str, Shown]:
        """Return the sides and what is known of each, A first."""
        return self._runs.items()

    def show(self, run: RunInfo | None, side: str, signed: bool) -> None:
        """Take another run; with run A, the panels of B are made from something new as well."""
        old = self._runs.get(side, Shown())
        self._runs[side] = Shown(run, signed, heading=old.heading, notice=old.notice)
        for each in self._runs if side == "A" else side:
            self._runs[each].sources = self._sources(each)
        self.set_shared(self._shared)

    def clear(self) -> None:
        """Know nothing of run A any more but its heading."""
        self._runs["A"] = Shown(heading=self._runs["A"].heading)

    def end_beside(self) -> None:
        """Show run A alone."""
        self._runs.pop("B", None)
        ours = self._runs["A"]
        ours.heading = None
        for source in ours.sources.values():
            source.ranges.drop("B")

    def set_shared(self, on: bool) -> None:
        """Draw both runs in one scale, or each in its own."""
        self._shared = on
        for shown in self._runs.values():
            for source in shown.sources.values():
                source.ranges.shared = on

    def set_steady(self, on: bool) -> None:
        """Let no range become smaller, or draw each frame in that which suits it."""
        for shown in self._runs.values():
            for source in shown.sources.values():
                source.ranges.steady = on

    def probes(self) -> tuple[ProbeInfo, ...]:
        """Return the probes of run A, then those that only run B has; () while A has none."""
        ours = _probes_of(self._runs["A"])
        known = {probe.name for probe in ours}
        beside = _probes_of(self._runs["B"]) if ours and "B" in self._runs else ()
        return (*ours, *(probe for probe in beside if probe.name not in known))

    def decoding(self, side: str, decoder: Decoder | None) -> Mapping[str, Source]:
        """Return the sources of a run's panels; those of run A decode with a decoder."""
        sources = self._runs[side].sources
        if side != "A":
            return sources
        return {name: replace(source, decoder=decoder) for name, source in sources.items()}

    def _sources(self, side: str) -> Mapping[str, Source]:
        shown = self._runs[side]
        ours = self._runs["A"].sources if side == "B" and not shown.signed else {}
        return {
            probe.name: _source_of(probe, shown, side, ours.get(probe.name), self._theme)
            for probe in _probes_of(shown)
        }


def _probes_of(shown: Shown) -> tuple[ProbeInfo, ...]:
    """Return the probes of a run, () while none is known."""
    return shown.run.header.probes if shown.run else ()


def _source_of(
    probe: ProbeInfo, shown: Shown, side: str, twin: Source | None, theme: Theme
) -> Source:
    """Return what a panel is made from; `twin` is that of the same probe of the other run."""
    assert shown.run is not None
    fields, reference = shown.run.header.fields, shown.run.reference
    made = Source(probe, fields, reference, theme, side=side, signed=shown.signed)
    if twin is None or twin.probe.kind != probe.kind:
        return made
    return replace(made, ranges=twin.ranges)
