"""The panels of one run on one tab; while two runs are compared, below the name of the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.panels.context import PanelContext
from ed_viewer.panels.host import PanelHost
from ed_viewer.reading.messages import Frame
from ed_viewer.style.palette import Side
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cards import Badge, Notice
from ed_viewer.widgets.labels import Caption

Sources = Mapping[str, PanelContext]


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a run's panels while it is compared.

    Attributes:
        side: A or B.
        title: the run's name.
        where: the step that is really shown.
        remark: what must be known to read the panels right, on a line of its own; None for no line.
    """

    side: Side
    title: str
    where: str = ""
    remark: str | None = None


class RunColumn(QWidget):
    """A grid of panels, or a notice in its place.

    Args:
        side: A or B.
        theme: colours and type.
        sources: of the probes of the run, by their name.

    Signals:
        looking: a panel wants other frames beside the one on show.
        made: the panel of this probe is there.

    Attributes:
        sources: as above.
        hosts: of the panels, by the name of their probe.
    """

    looking = Signal()
    made = Signal(str)

    def __init__(
        self, side: Side, theme: Theme, sources: Sources, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._side, self._theme = side, theme
        self.sources = sources
        self.hosts: dict[str, PanelHost] = {}
        self._head = _ColumnHead(side, theme)
        self._head.hide()
        self._notice = Notice(theme)
        self._cards: dict[str, QWidget] = {}
        self._panels = QWidget()
        self._grid = QGridLayout(self._panels)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._panels)
        self._stack.addWidget(self._notice)
        # Two sides are equally wide, whatever stands in them.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._head)
        layout.addWidget(self._stack, 1)

    @property
    def notice(self) -> str:
        """What is said in place of the panels, "" while they are shown."""
        return "" if self._stack.currentWidget() is self._panels else self._notice.text

    @property
    def head(self) -> QWidget:
        """What stands above the panels: the name of the run, and the step that it shows."""
        return self._head

    def shown(self, name: str) -> QWidget | None:
        """Return what is shown of a probe: its place, or the notice in place of all of them."""
        return self._notice if self.notice else self._cards.get(name)

    @property
    def notices(self) -> list[str]:
        """What is said in place of single panels."""
        return [card.text for card in self._cards.values() if isinstance(card, Notice)]

    def set_heading(self, heading: Heading | None) -> None:
        """Show the name of the run above its panels, or nothing."""
        self._head.setVisible(heading is not None)
        if heading is not None:
            self._head.show_heading(heading)

    def say(self, notice: str) -> None:
        """Say something in place of all panels, or show them."""
        self._notice.say(notice)
        self._stack.setCurrentWidget(self._notice if notice else self._panels)

    def fill(self, probes: Sequence[str]) -> None:
        """Have a place for the panel of each probe, by its name; `arrange` says where."""
        self._cards = {name: self._make(name) for name in probes}

    def arrange(self, columns: int, shares: bool = False) -> None:
        """Put the panels into rows of so many; those of one row or column in their shares."""
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 0)
        count = len(self._cards)
        rows = ceil(count / columns)
        # The place left over goes to the first panel, which is as high as the others together.
        spare = rows * columns - count
        for number, card in enumerate(self._cards.values()):
            column, row = divmod(number + (spare if number else 0), rows)
            self._grid.addWidget(card, row, column, 1 if number else 1 + spare, 1)
        each = [_share(card) for card in self._cards.values()]
        for row in range(rows):
            # In height they differ less than in width: a heading takes as much of each.
            own = 1 + each[row] if shares and columns == 1 else 1
            self._grid.setRowStretch(row, own)
        for column in range(columns):
            self._grid.setColumnStretch(column, each[column] if shares and rows == 1 else 1)

    def show_frame(self, frame: Frame) -> None:
        """Draw the arrays of the probe of every panel that is made."""
        for host in self.hosts.values():
            if host.is_made:
                host.show_frame(frame)

    def restyle(self) -> None:
        """Take colours and type from the theme for what stands above the panels."""
        self._head.restyle()

    def _make(self, name: str) -> QWidget:
        if name not in self.sources:
            return Notice(self._theme, f"Not recorded in {self._side.value}: {name}")
        host = PanelHost(self.sources[name])
        host.looking.connect(self.looking)
        host.made.connect(partial(self.made.emit, name))
        self.hosts[name] = host
        return host


def _share(card: QWidget) -> int:
    return card.share if isinstance(card, PanelHost) else 1


class _ColumnHead(QWidget):
    """The letter and the name of a run, the step that it shows, and a remark below."""

    def __init__(self, side: Side, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._name = Caption(theme, "text", Qt.AlignmentFlag.AlignLeft)
        self._where = muted(plain(QLabel()))
        self._remark = Caption(theme, align=Qt.AlignmentFlag.AlignLeft)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(Badge(side, theme))
        line.addWidget(self._name, 1)
        line.addWidget(self._where)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.setSpacing(4)
        layout.addLayout(line)
        layout.addWidget(self._remark)
        self.restyle()

    def show_heading(self, heading: Heading) -> None:
        self._name.say(heading.title)
        self._where.setText(heading.where)
        self._remark.say(heading.remark or "")
        self._remark.setVisible(heading.remark is not None)

    def restyle(self) -> None:
        self._name.setFont(self._theme.font(bold=True))
