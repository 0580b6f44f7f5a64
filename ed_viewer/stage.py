"""The middle of the window: tabs of panels, made when they are first looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QTabWidget, QWidget

from ed_core.recording import ProbeInfo
from ed_viewer.decoder import Decoder
from ed_viewer.messages import Frame, RunInfo
from ed_viewer.panel import Panel, Source, panel_class
from ed_viewer.panel_host import PanelHost
from ed_viewer.theme import Theme
from ed_viewer.widgets.tabs import Tabs
from ed_viewer.widgets.text import titled

OVERVIEW = "Overview"
TABS = ("Reconstruct", "Activations", "Latent", "Classes", "Segmentation", "Values", "Samples")
"""The order of the tabs that panels name; tabs of other names come after them."""

_TELLING = 4  # panels of the overview


@dataclass(slots=True)
class Page:
    """A tab: the probes on it, and their panels once it has been looked at."""

    title: str
    probes: tuple[ProbeInfo, ...]
    widget: QWidget
    hosts: list[PanelHost] = field(default_factory=list)


def pages_of(probes: tuple[ProbeInfo, ...]) -> list[tuple[str, tuple[ProbeInfo, ...]]]:
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
    return [(OVERVIEW, tuple(best)), *pages] if len(pages) > 1 else pages


class Stage(QTabWidget):
    """Tabs of panels for one run.

    Attributes:
        decoder: of the run that is shown next, or None.

    Signals:
        watched: the visible tab's probes, by name.
        hovered: what is under the mouse, in words.
    """

    watched = Signal(object)
    hovered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pages: list[Page] = []
        self._sources: dict[str, Source] = {}
        self._frame: Frame | None = None
        self.decoder: Decoder | None = None
        self.setTabBar(Tabs(theme))
        self.setDocumentMode(True)
        self.setAccessibleName("Stage")
        self.currentChanged.connect(self._look)
        theme.changed.connect(self._restyle)

    @property
    def panels(self) -> list[Panel]:
        """The panels of the visible tab."""
        page = self._page()
        return [host.panel for host in page.hosts] if page else []

    def paintEvent(self, event: object) -> None:  # noqa: N802
        """Paint nothing (called by Qt): its line below the tools would be no part of anything."""

    def set_tools(self, tools: Sequence[QWidget]) -> None:
        """Put these at the right of the tabs."""
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 0, 4)
        row.setSpacing(4)
        for tool in tools:
            row.addWidget(tool)
        self.setCornerWidget(corner, Qt.Corner.TopRightCorner)

    def show_run(self, run: RunInfo) -> None:
        """Make the tabs of a run; the tab of the same name stays open."""
        kept = self.tabText(self.currentIndex())
        self.clear_run()
        memory: dict[str, dict[str, Any]] = {p.name: {} for p in run.header.probes}
        self._sources = {
            probe.name: Source(
                probe, run.header.fields, run.reference, self._theme, memory[probe.name]
            )
            for probe in run.header.probes
        }
        self.blockSignals(True)
        for title, probes in pages_of(run.header.probes):
            page = Page(title, probes, QWidget())
            self._pages.append(page)
            # An ampersand would become a shortcut instead of a letter.
            self.addTab(page.widget, title.replace("&", "&&"))
        titles = [page.title for page in self._pages]
        self.setCurrentIndex(titles.index(kept) if kept in titles else 0)
        self.blockSignals(False)
        self._look()

    def clear_run(self) -> None:
        """Take all tabs away."""
        self._frame = None
        self.blockSignals(True)
        self.clear()
        for page in self._pages:
            page.widget.deleteLater()
        self._pages = []
        self.blockSignals(False)

    def show_frame(self, frame: Frame) -> None:
        """Draw a frame on the visible tab."""
        self._frame = frame
        page = self._page()
        for host in page.hosts if page else ():
            host.show_frame(frame)

    def _look(self) -> None:
        page = self._page()
        if page is None:
            return
        if not page.hosts:
            self._fill(page)
        if self._frame is not None:
            self.show_frame(self._frame)
        self.watched.emit(tuple(probe.name for probe in page.probes))

    def _fill(self, page: Page) -> None:
        grid = QGridLayout(page.widget)
        grid.setContentsMargins(0, 8, 0, 0)
        grid.setSpacing(8)
        count = len(page.probes)
        columns = 1 if count == 1 else 2 if count <= 4 else 3
        rows = ceil(count / columns)
        for place, probe in enumerate(page.probes):
            host = PanelHost(self._source(page, probe))
            host.hovered.connect(self.hovered)
            page.hosts.append(host)
            # The place left over goes to the first panel, which is as high as the others together.
            spare = rows * columns - count
            across, down = divmod(place + (spare if place else 0), rows)
            grid.addWidget(host, down, across, 1 if place else 1 + spare, 1)
        for row in range(rows):
            grid.setRowStretch(row, 1)
        for column in range(columns):
            wide = page.hosts[column].panel.share if rows == 1 and page.title != OVERVIEW else 1
            grid.setColumnStretch(column, wide)

    def _source(self, page: Page, probe: ProbeInfo) -> Source:
        """Return the source of a probe's panel; on the overview there is no room to decode."""
        source = self._sources[probe.name]
        return source if page.title == OVERVIEW else replace(source, decoder=self.decoder)

    def _page(self) -> Page | None:
        index = self.currentIndex()
        return self._pages[index] if 0 <= index < len(self._pages) else None

    def _restyle(self) -> None:
        for page in self._pages:
            for host in page.hosts:
                host.restyle()
        if self._frame is not None:
            self.show_frame(self._frame)
