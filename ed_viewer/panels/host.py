"""Host of one panel, which shows an error message in its place if it fails."""

import logging

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QSizePolicy, QStackedLayout, QWidget

from ed_viewer.panels.base import FALLBACK, PANELS, Panel, panel_class
from ed_viewer.panels.context import PanelContext
from ed_viewer.reading.messages import Frame
from ed_viewer.style.pixels import not_finite
from ed_viewer.style.text import tip
from ed_viewer.widgets.cards import Notice

_log = logging.getLogger(__name__)


class PanelHost(QWidget):
    """Frame around a panel that replaces or covers it by the error message if it raises.

    Signals:
        looking: the panel wants other frames beside the one on show.
        made: the panel is there.

    Attributes:
        share: how wide it is beside the others of its tab.
        drawn: the number of the frame on show, None for none.
        notice: the reason, where there is nothing to draw.
    """

    looking = Signal()
    made = Signal()

    def __init__(self, source: PanelContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._name = source.probe.name
        self._panel: Panel | None = None
        self.share = panel_class(source.probe).share
        self.drawn: int | None = None
        self.notice = Notice(source.theme)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self.notice)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    @property
    def is_made(self) -> bool:
        """Whether the panel is there."""
        return self._panel is not None

    @property
    def on_show(self) -> QWidget | None:
        """What is seen: the panel, or the notice in its place."""
        return self._stack.currentWidget()

    @property
    def panel(self) -> Panel:
        """The panel; made on first access."""
        return self._panel or self.make()

    def make(self) -> Panel:
        """Make what it holds, once; it takes some 15 ms."""
        panel = self._panel = self._make()
        panel.looking.connect(self.looking)
        self.setAccessibleName(panel.accessibleName())
        self._stack.addWidget(panel)
        self._stack.setCurrentWidget(panel)
        self.made.emit()
        return panel

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(320, 240)

    def minimumSizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(160, 120)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Return False (called by Qt): a label that wraps would take the room of other panels."""
        return False

    def show_frame(self, frame: Frame) -> None:
        """Draw the probe's arrays, or say why there are none."""
        if self._name not in {*frame.damaged, *frame.arrays}:
            return  # asked for before this probe was visible; its own answer is on its way
        self.drawn = frame.request.frame
        if self._name in frame.damaged:
            self._say(frame.damaged[self._name])
            return
        try:
            if self._name in frame.past:
                self.panel.show_past(frame.past[self._name])
            self.panel.show_frame(frame.arrays[self._name])
            self.panel.set_remark(not_finite(frame.arrays[self._name].values()))
        except Exception as error:  # a foreign panel may fail in any way
            _log.debug("panel %s", self._name, exc_info=True)
            self._say(f"{self._name} cannot be drawn. {type(error).__name__}: {error}")
            return
        self._stack.setCurrentWidget(self.panel)

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        if self._panel is None:
            return
        try:
            self._panel.restyle()
        except Exception as error:  # as above
            self._say(f"{self._name} cannot be drawn. {type(error).__name__}: {error}")

    def _say(self, why: str) -> None:
        self.notice.say(why)
        self._stack.setCurrentWidget(self.notice)

    def _make(self) -> Panel:
        source = self._source
        try:
            return panel_class(source.probe)(source)
        except Exception as error:  # as above; the fallback shows any array
            _log.debug("panel %s", self._name, exc_info=True)
            fallback = PANELS[FALLBACK](source)
            tip(fallback, f"The panel for {source.probe.kind!r} failed: {error}")
            return fallback
