"""A tab of the stage: the panels of one run, or those of two side by side."""

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ed_core.recording import ProbeInfo
from ed_viewer.event_loop import StaggeredRestyle, Task
from ed_viewer.panels.base import panel_class
from ed_viewer.panels.host import PanelHost
from ed_viewer.reading.messages import Frame, Lookback
from ed_viewer.stage.linked_controls import link
from ed_viewer.stage.run_column import RunColumn, Sources
from ed_viewer.style.palette import Side
from ed_viewer.style.pixels import Levels
from ed_viewer.style.text import titled
from ed_viewer.style.theme import Theme

OVERVIEW = "Overview"
TABS = ("Reconstruct", "Activations", "Latent", "Classes", "Segmentation", "Values", "Samples")
"""The order of the tabs that panels name; tabs of other names come after them."""
_TELLING = 4  # panels of the overview


class PageFrames:
    """A frame a run. One that widens a range has the other run drawn again in it.

    Args:
        sides: the panels of the runs, by A and B; they may come and go.
    """

    def __init__(self, sides: Mapping[Side, RunColumn]) -> None:
        self._sides = sides
        self._frames: dict[Side, Frame] = {}

    def get(self, side: Side) -> Frame | None:
        """Return what is drawn of a run, None if it must be drawn again."""
        return self._frames.get(side)

    def show(self, side: Side, frame: Frame) -> None:
        """Draw a frame of a run."""
        if side in self._sides:
            self._frames[side] = frame
            self._draw(side, self._sides[side], frame)

    def show_again(self, side: Side, host: PanelHost) -> None:
        """Draw the frame of a run on one of its panels, which has changed."""
        if side in self._frames:
            self._draw(side, host, self._frames[side])

    def drop(self, side: Side) -> None:
        """Forget the frame of a run that is no longer there."""
        self._frames.pop(side, None)

    def forget(self) -> None:
        """Have every frame drawn again when it is shown next."""
        self._frames = {}

    def _draw(self, side: Side, drawn: RunColumn | PanelHost, frame: Frame) -> None:
        before = self._ranges()
        drawn.show_frame(frame)
        after = self._ranges()
        wider = {probe for probe, name in after if after[probe, name] != before.get((probe, name))}
        for other in self._sides.keys() & self._frames.keys() - {side}:
            hosts = self._sides[other].hosts
            for host in (hosts[probe] for probe in wider & hosts.keys()):
                if host.is_made:
                    host.show_frame(self._frames[other])

    def _ranges(self) -> dict[tuple[str, str], Levels]:
        return {
            (probe, name): levels
            for side in self._sides.values()
            for probe, source in side.sources.items()
            if not source.signed
            for name, levels in source.ranges.unions().items()
        }


def pages_of(probes: Sequence[ProbeInfo]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the tabs: the overview, then those of `TABS`, then any others.

    Panels of one `Panel.tab` share a tab. The overview has the four panels that say most, the
    first of them in the largest place; where it would be the only tab again, there is none.
    """
    tabs: dict[str, tuple[ProbeInfo, ...]] = dict.fromkeys(TABS, ())
    for probe in probes:
        title = panel_class(probe).tab or titled(probe.name)
        tabs[title] = (*tabs.get(title, ()), probe)
    pages = [(title, group) for title, group in tabs.items() if group]
    everything = [probe for _, group in pages for probe in group]
    best = sorted(everything, key=lambda probe: -panel_class(probe).telling)[:_TELLING]
    if len(pages) > 1:
        pages.insert(0, (OVERVIEW, tuple(best)))
    return [(title, tuple(probe.name for probe in group)) for title, group in pages]


class Page(QWidget):
    """The probes of one tab; their panels are made when it is first looked at, one a turn.

    Attributes:
        title: of the tab.
        probes: their names.
        frames: what is drawn.

    Signals:
        looking: `lookbacks` are others.
    """

    looking = Signal()

    def __init__(self, title: str, probes: tuple[str, ...], theme: Theme) -> None:
        super().__init__()
        self.title = title
        self.probes = probes
        self._theme = theme
        self._sides: dict[Side, RunColumn] = {}
        self.frames = PageFrames(self._sides)
        self._making = Task(self._make_next, self)
        self._restyling = StaggeredRestyle(self)
        self._stale = False  # whether the theme has changed
        self._across = 1  # panels side by side
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make what is missing (called by Qt); on a page that nobody sees, nothing is made."""
        super().showEvent(event)
        self._making.ask()

    def resizeEvent(self, event: object) -> None:  # noqa: N802
        """Put two panels below each other on a high page (called by Qt)."""
        if self._columns() != self._across:
            self._arrange()

    @property
    def hosts(self) -> list[PanelHost]:
        """What holds the panels of the run, A while two are compared."""
        return list(self._sides[Side.A].hosts.values()) if Side.A in self._sides else []

    @property
    def lookbacks(self) -> dict[str, Lookback]:
        """What panels want of earlier frames, by probe; of two runs the same."""
        found: dict[str, Lookback] = {}
        for _, side in sorted(self._sides.items()):
            for name, host in side.hosts.items():
                wanted = host.panel.lookback if host.is_made else None
                if wanted is not None:
                    found.setdefault(name, wanted)
        return found

    def side(self, side: Side) -> RunColumn | None:
        """Return the panels of run A or B, None before they are made."""
        return self._sides.get(side)

    def show_side(self, side: Side, sources: Sources) -> None:
        """Have the panels of a run made; where it has no such probe, a notice says so."""
        self.drop_side(side)
        made = self._sides[side] = RunColumn(side, self._theme, sources)
        made.looking.connect(self.looking)
        made.made.connect(partial(self._on_made, side))
        made.fill(self.probes)
        self._row.addWidget(made, 1)
        self._arrange()
        self._making.ask()

    def complete(self) -> None:
        """Make all panels that are still missing, and give all of them the theme, at once."""
        for host in self._missing():
            host.make()
        self._restyling.finish()

    def drop_side(self, side: Side) -> None:
        """Take the panels of a run away."""
        gone = self._sides.pop(side, None)
        self.frames.drop(side)
        if gone is not None:
            gone.blockSignals(True)
            self._row.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
            self._arrange()

    def drawn(self, side: Side) -> set[int]:
        """Return the numbers of the frames that the panels of a run show."""
        hosts = self._sides[side].hosts.values() if side in self._sides else ()
        return {host.drawn for host in hosts if host.drawn is not None}

    def outdate(self) -> None:
        """Know that the theme is another one: `freshen` takes it, where somebody sees the page."""
        self._stale = True

    def freshen(self) -> None:
        """Take colours and type from the theme, if they have changed: one panel a turn."""
        if not self._stale:
            return
        self._stale = False
        for name, side in sorted(self._sides.items()):
            side.restyle()
            for host in side.hosts.values():
                if host.is_made:
                    self._restyling.ask(host, partial(self._restyle, name, host))

    def _restyle(self, side: Side, host: PanelHost) -> None:
        host.restyle()
        self.frames.show_again(side, host)

    def _arrange(self) -> None:
        self._across = self._columns()
        for side in self._sides.values():
            side.arrange(self._across, self.title != OVERVIEW)

    def _columns(self) -> int:
        high = self.width() < self.height()
        return _columns(len(self.probes), len(self._sides), high)

    def _missing(self) -> list[PanelHost]:
        hosts = [host for _, side in sorted(self._sides.items()) for host in side.hosts.values()]
        return [host for host in hosts if not host.is_made]

    def _make_next(self) -> None:
        missing = self._missing()
        if missing and self.isVisible():
            self._making.ask()
            missing[0].make()

    def _on_made(self, side: Side, name: str) -> None:
        """Draw a panel that has been made, as the others are drawn."""
        both = [made.hosts.get(name) for _, made in sorted(self._sides.items())]
        pair = [host.panel for host in both if host is not None and host.is_made]
        if len(pair) == 2:
            link(*pair)
        made = self._sides[side].hosts[name]
        self.frames.show_again(side, made)
        if made.panel.lookback is not None:
            self.looking.emit()


def _columns(panels: int, sides: int, high: bool) -> int:
    """Return how many panels stand side by side; half the width, or a high page, for fewer."""
    if sides == 2 or high:
        return 1 if panels <= 2 else 2
    return 1 if panels <= 1 else 2 if panels <= 4 else 3
