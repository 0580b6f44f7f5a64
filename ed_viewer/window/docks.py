"""The docks around the stage: runs at the left, parts at the right, curves and timeline below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QSizePolicy, QWidget

from ed_viewer.style.text import plain

if TYPE_CHECKING:
    from ed_viewer.timeline.timeline import Timeline
    from ed_viewer.timeline.transport import Transport
    from ed_viewer.window.window import Window

_FIXED = ("runs", "curves", "timeline")
_RUNS_WIDTH = 240  # pixels
_CURVES_HEIGHT = 172
_PARTS_WIDTH = 280
_TURN, _TRIES = 20, 25  # milliseconds; larger type goes from a widget after the other


class Docks:
    """Runs, curves, the timeline and what the parts have, in docks of the window.

    Args:
        window: its widgets and parts are made.
    """

    def __init__(self, window: Window) -> None:
        self._window = window
        self._shelved: list[QDockWidget] = []
        self._sizes: dict[QDockWidget, QSize] = {}  # of those, to be the same again
        window.setDockNestingEnabled(True)
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        curves = window.curves
        made = [
            _dock(window, "runs", "Runs", window.runs, tool=_runs_tools(window)),
            _dock(window, "curves", "Curves", curves, curves.about, _curves_tools(window)),
            _dock(window, "timeline", "", _Foot(window.transport, window.timeline)),
            *(
                _dock(window, part.name, part.title, part.dock)
                for part in window.parts
                if part.dock
            ),
        ]
        self._docks = {dock.objectName(): dock for dock in made}
        self.reset()

    def __getitem__(self, name: str) -> QDockWidget:
        return self._docks[name]

    def __iter__(self) -> Iterator[QDockWidget]:
        return iter(self._docks.values())

    def reset(self) -> None:
        """Bring every dock back to where it was at first; those of the parts are hidden."""
        window = self._window
        runs, curves, timeline, *parts = self
        for dock in self:
            dock.setFloating(False)
            window.removeDockWidget(dock)
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, runs)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, curves)
        window.splitDockWidget(curves, timeline, Qt.Orientation.Vertical)
        self.show_fixed()
        areas = {part.name: part.area for part in window.parts}
        for dock in parts:
            if areas[dock.objectName()] == Qt.DockWidgetArea.BottomDockWidgetArea:
                window.splitDockWidget(curves, dock, Qt.Orientation.Horizontal)
            else:
                window.addDockWidget(areas[dock.objectName()], dock)
            dock.hide()
        window.resizeDocks([runs], [_RUNS_WIDTH], Qt.Orientation.Horizontal)
        window.resizeDocks(parts, [_PARTS_WIDTH] * len(parts), Qt.Orientation.Horizontal)
        window.resizeDocks([curves], [_CURVES_HEIGHT], Qt.Orientation.Vertical)

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
        if not on:  # in the next turn: then they know how little room smaller type needs
            QTimer.singleShot(0, self._window, self._give_back)

    def _give_back(self, tries: int = _TRIES) -> None:
        """Let the docks have the sizes that they had, once what is in them has become smaller."""
        docks = [dock for dock in self._sizes if not dock.isHidden()]
        if not tries or all(dock.size() == self._sizes[dock] for dock in docks):
            return
        sizes = [self._sizes[dock] for dock in docks]
        wide, high = [size.width() for size in sizes], [size.height() for size in sizes]
        self._window.resizeDocks(docks, wide, Qt.Orientation.Horizontal)
        self._window.resizeDocks(docks, high, Qt.Orientation.Vertical)
        QTimer.singleShot(_TURN, self._window, lambda: self._give_back(tries - 1))

    def arrangement(self) -> tuple[tuple[object, ...], ...]:
        """Return which docks are open and where, for a comparison; sizes do not count."""
        area = self._window.dockWidgetArea
        return tuple((dock.objectName(), area(dock), dock.isHidden()) for dock in self)


def _dock(
    window: Window,
    name: str,
    title: str,
    widget: QWidget,
    about: QWidget | None = None,
    tool: QWidget | None = None,
) -> QDockWidget:
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    dock.setWidget(widget)
    dock.setAutoFillBackground(True)  # else a grip of the window that was here is seen through it
    dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable)
    dock.setTitleBarWidget(_head(title, about, tool))
    return dock


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


def _curves_tools(window: Window) -> QWidget:
    tools = QWidget()
    row = QHBoxLayout(tools)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for tool in (window.curves.all, window.curves.over, window.curves.log):
        row.addWidget(tool)
    return tools


def _runs_tools(window: Window) -> QWidget:
    tools = QWidget()
    row = QHBoxLayout(tools)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for part in window.parts:
        if part.runs_tool is not None:
            row.addWidget(part.runs_tool)
    return tools


class _Foot(QWidget):
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

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._fit()

    def _fit(self) -> None:
        self._transport.fit(self.width())
