"""Base of the panels, and their registry by the kind of probe."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ed_core.plugins.registry import BROKEN, Registry
from ed_core.recording import ProbeInfo
from ed_viewer.panels.context import PanelContext
from ed_viewer.reading.messages import Arrays, FrameHistory, Lookback
from ed_viewer.style.text import plain, tell_value, titled
from ed_viewer.widgets.cards import Card
from ed_viewer.widgets.labels import Bar, Caption, PanelHeading


class Panel(Card):
    """Base of all panels: a card with a heading, a caption, tools and a body.

    A subclass builds its widgets in `build` and draws in `show_frame`; both may raise, then the
    reason stands in the panel. It never sees a file or a thread.

    Signals:
        hovered: what is under the mouse, in words.
        looking: `lookback` is another.
    """

    tab = ""
    """Panels of one tab name share a tab; "" is a tab of its own."""

    telling = 0
    """Rank of the panel; the four with the highest make the overview."""

    heading = ""
    """What stands above the panel; "" is the probe's name."""

    share = 1
    """How wide it is beside the others of its tab."""

    no_difference = "This panel cannot show differences."
    """Why it cannot draw the difference of two runs' arrays, "" if it can."""

    places: tuple[str, ...] = ()
    """Arrays that say where the others lie: equal in two runs, or there is no difference."""

    kept: tuple[str, ...] = ()
    """Arrays whose difference is more than B - A: it is drawn from both, `A/NAME` and `B/NAME`."""

    hovered = Signal(str)
    looking = Signal()

    def __init__(self, source: PanelContext, parent: QWidget | None = None) -> None:
        super().__init__(source.theme, parent)
        self.source = source
        self.setAccessibleName(self.heading or source.probe.name)
        self._title = plain(PanelHeading(self.heading or titled(source.probe.name)))
        self._caption = Caption(source.theme)
        self._said = self._remark = ""
        self._bar: Bar = ""
        self.tools = QHBoxLayout()
        self.tools.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._title)
        head.addLayout(self.tools)
        head.addWidget(self._caption, 1)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(8)
        self.body.addLayout(head)
        self.hovered.connect(self._tell)
        self.build()
        self._move_tips()
        self.restyle()

    def build(self) -> None:
        """Make the widgets of the body."""

    def _tell(self, text: str) -> None:
        tell_value(self, text)

    def _move_tips(self) -> None:
        """Move tool tips of data widgets to the status line: a tip would cover the data."""
        for widget in self.findChildren(QWidget):
            if getattr(widget, "tells_values", False) and widget.toolTip():
                widget.setStatusTip(widget.toolTip())
                widget.setToolTip("")

    def show_frame(self, arrays: Arrays) -> None:
        """Draw a frame: the probe's arrays by name."""
        raise NotImplementedError

    @property
    def caption(self) -> Caption:
        """What stands at the right of the heading; `set_caption` sets it."""
        return self._caption

    @property
    def lookback(self) -> Lookback | None:
        """The earlier frames it needs beside the current one, None for none."""
        return None

    @property
    def settled(self) -> bool:
        """Whether all answers of other processes are drawn."""
        return True

    def look_back(self, on: bool) -> bool:
        """Show earlier frames as well, or not; return whether it can."""
        return False

    def show_past(self, past: FrameHistory) -> None:
        """Take the earlier frames requested by `lookback`; `show_frame` follows."""

    def restyle(self) -> None:
        """Take colours and type from the theme; extended by panels that draw with pyqtgraph."""
        self._title.setFont(self.source.theme.font(bold=True))
        # As high as a combo box, so that headings with and without tools stand on one line.
        self._title.setFixedHeight(self._title.fontMetrics().height() + 12)

    def set_heading(self, text: str) -> None:
        """Set the heading, if it depends on the data."""
        self._title.setText(text)
        self.setAccessibleName(text)

    def set_caption(self, text: str, bar: Bar = "") -> None:
        """Set the caption about the frame, at the right of the heading.

        Args:
            text: of the caption.
            bar: the part of the text with the ends of signed values, marked by a bar of their
                colours. It comes first in differences.
        """
        self._said, self._bar = text, bar
        self._say_all()

    def set_remark(self, text: str) -> None:
        """Set a remark before the caption of any frame, such as the share of NaN."""
        self._remark = text
        self._say_all()

    def _say_all(self) -> None:
        text = " · ".join(part for part in (self._remark, self._said) if part)
        # With a remark, another part is the first.
        self._caption.say(text, "" if self._remark and self._bar == "first" else self._bar)


PANELS: Registry[type[Panel]] = Registry("panel", "edkit.panels")
"""Probe kind to panel."""

FALLBACK = "fallback"


def panel(kind: str) -> Callable[[type[Panel]], type[Panel]]:
    """Register a panel class for a kind of probe; `FALLBACK` shows all other kinds.

    `KIND/ARRAY` is for probes of the kind that record an array of this name: predictions of
    classes and of values look nothing alike.
    """

    def register(cls: type[Panel]) -> type[Panel]:
        return PANELS.add(kind, cls)

    return register


def panel_class(probe: ProbeInfo) -> type[Panel]:
    """Return the panel class of a probe: by kind and array, by kind, or the fallback."""
    keys = [f"{probe.kind}/{array}" for array in probe.arrays]
    return next((PANELS[key] for key in (*keys, probe.kind) if key in PANELS), PANELS[FALLBACK])


def broken_panels() -> str:
    """Import the panels; return the modules that failed, in one line, or "".

    Before the window is shown: while it shows a run, it would be held up for 50 ms and more.
    """
    len(PANELS)
    return "; ".join(f"{name}: {why}" for name, why in BROKEN.items())
