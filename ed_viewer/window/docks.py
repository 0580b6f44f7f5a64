"""The docks around the stage: runs left, features right, curves and timeline below."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QSizePolicy, QWidget

from ed_viewer.event_loop import later
from ed_viewer.style.text import plain
from ed_viewer.timeline.timeline import Timeline
from ed_viewer.timeline.transport import Transport

_FIXED = ("runs", "curves", "timeline")
_RUNS_WIDTH = 240  # pixels
_CURVES_HEIGHT = 172
_PARTS_WIDTH, _PARTS_HEAD = 280, 40
_NARROW = 900  # pixels: a narrower window has room for one dock beside the stage
_TURN, _TRIES = 20, 25  # milliseconds; larger type goes from a widget after the other


class Docks:
    """Runs, curves and the timeline, in this order, then what the features have.

    Args:
        main: the window that they belong to.
    """

    def __init__(self, main: QMainWindow) -> None:
        self._main = main
        self._docks: dict[str, QDockWidget] = {}
        self._areas: dict[str, Qt.DockWidgetArea] = {}
        self._below: set[QDockWidget] = set()  # the runs, for want of room at the right
        self._shelved: list[QDockWidget] = []
        self._sizes: dict[QDockWidget, QSize] = {}  # of those, to be the same again
        main.setDockNestingEnabled(True)
        main.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        main.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)

    def add(
        self,
        name: str,
        title: str,
        widget: QWidget,
        *,
        about: QWidget | None = None,
        tools: QWidget | None = None,
        area: Qt.DockWidgetArea = Qt.DockWidgetArea.RightDockWidgetArea,
    ) -> None:
        """Put a widget into a dock; `reset` says where it stands.

        Args:
            name: in code, and in a saved layout.
            title: for people.
            widget: what stands in it.
            about: what stands beside the title.
            tools: what stands at the right of it.
            area: where it stands, for one of a feature.
        """
        dock = QDockWidget(title, self._main)
        dock.setObjectName(name)
        dock.setWidget(widget)
        dock.setAutoFillBackground(True)  # else a grip of the window is seen through it
        dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable)
        dock.setTitleBarWidget(_head(title, about, tools))
        self._docks[name], self._areas[name] = dock, area

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def __iter__(self) -> Iterator[QDockWidget]:
        return iter(self._docks.values())

    def reset(self) -> None:
        """Bring every dock back to where it was at first; those of the features are hidden."""
        main = self._main
        self._below.clear()
        runs, curves, timeline, *parts = self
        for dock in self:
            dock.setFloating(False)
            main.removeDockWidget(dock)
        main.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, runs)
        main.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, curves)
        main.splitDockWidget(curves, timeline, Qt.Orientation.Vertical)
        self.show_fixed()
        for dock in parts:
            if self._areas[dock.objectName()] == Qt.DockWidgetArea.BottomDockWidgetArea:
                main.splitDockWidget(curves, dock, Qt.Orientation.Horizontal)
            else:
                main.addDockWidget(self._areas[dock.objectName()], dock)
            dock.hide()
        main.resizeDocks([runs], [_RUNS_WIDTH], Qt.Orientation.Horizontal)
        main.resizeDocks(parts, [_PARTS_WIDTH] * len(parts), Qt.Orientation.Horizontal)
        main.resizeDocks([curves], [_CURVES_HEIGHT], Qt.Orientation.Vertical)

    def fit(self) -> None:
        """Let what stands at the right stand below the runs while the window is narrow."""
        right, runs = Qt.DockWidgetArea.RightDockWidgetArea, self["runs"]
        is_narrow = self._main.width() < _NARROW
        for dock in self:
            hidden, area = dock.isHidden(), self._main.dockWidgetArea(dock)
            if dock in self._below and (hidden or not is_narrow):
                self._below.discard(dock)
                self._main.addDockWidget(right, dock)
                dock.setVisible(not hidden)
                widths = [_RUNS_WIDTH, _PARTS_WIDTH]
                self._main.resizeDocks([runs, dock], widths, Qt.Orientation.Horizontal)
            elif area == right and is_narrow and not (hidden or runs.isHidden()):
                self._below.add(dock)
                self._main.splitDockWidget(runs, dock, Qt.Orientation.Vertical)
                high = dock.widget().sizeHint().height() + _PARTS_HEAD
                self._main.resizeDocks([runs, dock], [1, high], Qt.Orientation.Vertical)

    def show_fixed(self) -> None:
        """Show the docks that are never closed."""
        for name in _FIXED:
            self[name].show()

    def set_shelved(self, on: bool) -> None:
        """Leave the timeline alone on show; or bring those back that were shown with it."""
        if on:
            others = [dock for dock in self if dock.objectName() != "timeline"]
            self._shelved = [dock for dock in others if not dock.isHidden()]
            self._sizes = {dock: dock.size() for dock in self._shelved}
        for dock in self._shelved:
            dock.setVisible(not on)
        self.fit()
        if not on:  # in the next turn: then they know how little room smaller type needs
            later(self._main, self._give_back)

    def _give_back(self, tries: int = _TRIES) -> None:
        """Let the docks have the sizes that they had, once what is in them has become smaller."""
        docks = [dock for dock in self._sizes if not dock.isHidden()]
        if not tries or all(dock.size() == self._sizes[dock] for dock in docks):
            return
        sizes = [self._sizes[dock] for dock in docks]
        wide, high = [size.width() for size in sizes], [size.height() for size in sizes]
        self._main.resizeDocks(docks, wide, Qt.Orientation.Horizontal)
        self._main.resizeDocks(docks, high, Qt.Orientation.Vertical)
        later(self._main, lambda: self._give_back(tries - 1), _TURN)

    def arrangement(self) -> tuple[tuple[object, ...], ...]:
        """Return which docks are open and where, for a comparison; sizes do not count."""
        area = self._main.dockWidgetArea
        return tuple((dock.objectName(), area(dock), dock.isHidden()) for dock in self)


def _head(title: str, about: QWidget | None, tool: QWidget | None) -> QWidget:
    head = QWidget()
    row = QHBoxLayout(head)
    row.setContentsMargins(12, 4, 12, 2)
    if not title:
        row.setContentsMargins(0, 0, 0, 0)
        return head
    label = plain(QLabel(title))
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    label.setMinimumHeight(label.fontMetrics().height() + 8)  # heads with and without a tool
    row.addWidget(label)
    row.addSpacing(4)
    if about is not None:
        row.addWidget(about)
    row.addStretch(1)
    if tool is not None:
        row.addWidget(tool)
    return head


def side_by_side(widgets: Sequence[QWidget], spacing: int) -> QWidget:
    """Return these widgets in a row, with so many pixels between them."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    return row


class TimelineRow(QWidget):
    """The buttons and, in what they leave of the width, the timeline."""

    def __init__(self, transport: Transport, timeline: Timeline) -> None:
        super().__init__()
        self._transport = transport
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 8, 4)
        layout.setSpacing(8)
        layout.addWidget(transport)
        layout.addWidget(timeline, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        transport.resized.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        self._fit()

    def _fit(self) -> None:
        self._transport.fit(self.width())
