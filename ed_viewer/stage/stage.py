"""The middle of the window: tabs of panels, made when they are first looked at."""

from collections.abc import ItemsView, Iterable, Mapping
from dataclasses import dataclass, field, replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ed_core.recording import ProbeInfo
from ed_viewer.decoding.client import DecoderClient
from ed_viewer.panels.base import Panel
from ed_viewer.panels.context import PanelContext
from ed_viewer.reading.messages import Frame, RunInfo
from ed_viewer.stage.page import OVERVIEW, Page, pages_of
from ed_viewer.stage.run_column import Heading
from ed_viewer.style.palette import Side
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.tabs import TabWidget


@dataclass(slots=True, eq=False)
class StageRun:
    """What is known of one run."""

    run: RunInfo | None = None
    signed: bool = False
    sources: Mapping[str, PanelContext] = field(default_factory=dict)
    frame: Frame | None = None
    heading: Heading | None = None
    notice: str = ""


class StageRuns:
    """Run A and, while two are compared, run B beside it.

    Args:
        theme: colours and type of their panels.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._runs = {Side.A: StageRun()}
        self._shared = True

    def __getitem__(self, side: Side) -> StageRun:
        return self._runs[side]

    def items(self) -> ItemsView[Side, StageRun]:
        """Return the sides and what is known of each, A first."""
        return self._runs.items()

    def show(self, run: RunInfo | None, side: Side, signed: bool) -> None:
        """Take another run; with run A, the panels of B are made from something new as well."""
        old = self._runs.get(side, StageRun())
        self._runs[side] = StageRun(run, signed, heading=old.heading, notice=old.notice)
        for each in self._runs if side is Side.A else (side,):
            self._runs[each].sources = self._sources(each)
        self.set_shared(self._shared)

    def clear(self) -> None:
        """Know nothing of run A any more but its heading."""
        self._runs[Side.A] = StageRun(heading=self._runs[Side.A].heading)

    def end_beside(self) -> None:
        """Show run A alone."""
        self._runs.pop(Side.B, None)
        ours = self._runs[Side.A]
        ours.heading = None
        for source in ours.sources.values():
            source.ranges.drop(Side.B)

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
        ours = _probes_of(self._runs[Side.A])
        known = {probe.name for probe in ours}
        beside = _probes_of(self._runs[Side.B]) if ours and Side.B in self._runs else ()
        return (*ours, *(probe for probe in beside if probe.name not in known))

    def decoding(self, side: Side, decoder: DecoderClient | None) -> Mapping[str, PanelContext]:
        """Return the sources of a run's panels; those of run A decode with a decoder."""
        sources = self._runs[side].sources
        if side is not Side.A:
            return sources
        return {name: replace(source, decoder=decoder) for name, source in sources.items()}

    def _sources(self, side: Side) -> Mapping[str, PanelContext]:
        shown = self._runs[side]
        ours = self._runs[Side.A].sources if side is Side.B and not shown.signed else {}
        return {
            probe.name: _source_of(probe, shown, side, ours.get(probe.name), self._theme)
            for probe in _probes_of(shown)
        }


def _probes_of(shown: StageRun) -> tuple[ProbeInfo, ...]:
    """Return the probes of a run, () while none is known."""
    return shown.run.header.probes if shown.run else ()


def _source_of(
    probe: ProbeInfo, shown: StageRun, side: Side, twin: PanelContext | None, theme: Theme
) -> PanelContext:
    """Return what a panel is made from; `twin` is that of the same probe of the other run."""
    assert shown.run is not None
    fields, reference = shown.run.header.fields, shown.run.reference
    made = PanelContext(probe, fields, reference, theme, side=side, signed=shown.signed)
    if twin is None or twin.probe.kind != probe.kind:
        return made
    return replace(made, ranges=twin.ranges)


class Stage(TabWidget):
    """Tabs of panels for run A and, while two are compared, for run B beside it.

    Attributes:
        decoder: of the run that is shown next, or None.

    Signals:
        watched: the visible tab's probes, by name, and what it wants of earlier frames of them.
        renewed: panels are no longer there.
    """

    watched = Signal(object, object)
    renewed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._theme = theme
        self._pages: list[Page] = []
        self._shown = StageRuns(theme)
        self._open = ""
        self.decoder: DecoderClient | None = None
        self.setAccessibleName("Stage")
        self.currentChanged.connect(self._look)
        theme.changed.connect(self._restyle)

    @property
    def panels(self) -> list[Panel]:
        """The panels of the visible tab, of run A; those that are missing are made now."""
        page = self._page()
        return [host.panel for host in page.hosts] if page else []

    def complete(self) -> None:
        """Make all panels of the visible tab that are still missing, at once."""
        page = self._page()
        if page is not None:
            page.complete()

    def drawn(self, side: Side = Side.A) -> set[int]:
        """Return which frames of a run are on show: more than one while some are read."""
        page = self._page()
        return page.drawn(side) if page else set()

    def show_run(self, run: RunInfo | None, side: Side = Side.A, signed: bool = False) -> None:
        """Make the tabs of a run; the tab of the same name stays open.

        Args:
            run: None for one that is not known yet.
            side: A, or B for the run beside it.
            signed: whether its arrays will be differences of the two runs.
        """
        self._shown.show(run, side, signed)
        self._drop_panels(side)

    def clear_run(self) -> None:
        """Take run A and all tabs away."""
        self._shown.clear()
        self._drop_panels(Side.A)

    def end_beside(self) -> None:
        """Show run A alone."""
        self._shown.end_beside()
        for page in self._pages:
            page.frames.forget()
        self._drop_panels(Side.B)

    def show_frame(self, frame: Frame, side: Side = Side.A) -> None:
        """Draw a frame on the visible tab."""
        self._shown[side].frame = frame
        page = self._page()
        if page is not None:
            page.frames.show(side, frame)

    def set_shared(self, on: bool) -> None:
        """Draw both runs in one scale, or each in its own."""
        self._shown.set_shared(on)
        for page in self._pages:
            page.frames.forget()
        self._look()

    def set_steady(self, on: bool) -> None:
        """Keep axes and levels wide enough for all that is drawn from now on, or no longer."""
        self._shown.set_steady(on)

    @property
    def settled(self) -> bool:
        """Whether all that its panels have asked others to work out is drawn."""
        return all(panel.settled for panel in self.panels)

    def set_heading(self, heading: Heading) -> None:
        """Show a run's name above its panels."""
        self._shown[heading.side].heading = heading
        self._say(heading.side)

    def say(self, side: Side, notice: str) -> None:
        """Say something in place of a run's panels, or show them."""
        self._shown[side].notice = notice
        self._say(side)

    def _say(self, side: Side) -> None:
        page = self._page()
        made = page.side(side) if page else None
        if made is not None:
            made.set_heading(self._shown[side].heading)
            made.say(self._shown[side].notice)

    def _drop_panels(self, side: Side) -> None:
        """Have the panels of a run made anew; those of run A take those of run B with them."""
        if side is Side.A:
            _discard(self._pages)
            self._pages = []
        for page in self._pages:
            page.drop_side(side)
        self.renewed.emit()
        self._lay_tabs()

    def _lay_tabs(self) -> None:
        """Make the tabs of all probes on show; those that stay as they were keep their panels."""
        old = {(page.title, page.probes): page for page in self._pages}
        keys = pages_of(self._shown.probes())
        self._pages = [old.pop(key) if key in old else self._new_page(*key) for key in keys]
        self.set_tabs([(page.title, page) for page in self._pages], self._open)
        _discard(old.values())
        self._look()

    def _new_page(self, title: str, probes: tuple[str, ...]) -> Page:
        page = Page(title, probes, self._theme)
        page.looking.connect(self._watch)
        return page

    def _look(self) -> None:
        page = self._page()
        if page is None:
            return
        self._open = page.title
        page.freshen()
        for side, shown in self._shown.items():
            if page.side(side) is None:  # on the overview there is no room to decode
                decoder = None if page.title == OVERVIEW else self.decoder
                page.show_side(side, self._shown.decoding(side, decoder))
            self._say(side)
            if shown.frame is not None and page.frames.get(side) is not shown.frame:
                page.frames.show(side, shown.frame)
        self._watch()

    def _watch(self) -> None:
        page = self._page()
        if page is not None:
            self.watched.emit(page.probes, page.lookbacks)

    def _page(self) -> Page | None:
        index = self.currentIndex()
        return self._pages[index] if 0 <= index < len(self._pages) else None

    def _restyle(self) -> None:
        for page in self._pages:
            page.outdate()
        self._look()


def _discard(pages: Iterable[Page]) -> None:
    for page in pages:
        page.hide()
        page.deleteLater()
