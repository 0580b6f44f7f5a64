"""Buttons, check boxes, combo boxes, sliders and progress in the theme's colours."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QIcon,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDialogButtonBox,
    QLineEdit,
    QProgressBar,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QWidget,
)

from ed_viewer.style.icons import icon
from ed_viewer.style.palette import blend
from ed_viewer.style.theme import Theme

_BOX = 18  # pixels
_LINE, _MOVE, _PART = 6, 40, 0.2  # pixels high; milliseconds a move; of the line, that moves
_TICK = QPolygonF([QPointF(5, 10), QPointF(8.5, 13.5), QPointF(14, 6.5)])
_BUTTON_SIDE = 1.8  # pixels a point of body type
_GROOVE, _KNOB = 4.0, 7.0  # pixels: the height of the one, the radius of the other


def without_icons(buttons: QDialogButtonBox) -> None:
    """Take away the icons that some styles give to such buttons and to no others."""
    for button in buttons.buttons():
        button.setIcon(QIcon())


class PathLine(QLineEdit):
    """Line for a path, on which one file or folder can be dropped.

    Signals:
        dropped: its path. What becomes of it is the owner's choice, such as `replace`.
    """

    dropped = Signal(str)

    def replace(self, path: str) -> None:
        """Write a path in the place of what is there, which can be undone."""
        self.selectAll()
        self.insert(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802, D102
        if not self._judge(event):
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802, D102
        if not self._judge(event):
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802, D102
        if not self._judge(event):
            super().dropEvent(event)
        elif event.isAccepted():
            self.dropped.emit(_path_in(event.mimeData()))

    def _judge(self, event: QDropEvent) -> bool:
        """Accept one file and ignore several; return whether it is files that are dragged."""
        take_copy(event, bool(_path_in(event.mimeData())) and not self.isReadOnly())
        return event.mimeData().hasUrls()


def take_copy(event: QDropEvent, wanted: bool) -> None:
    """Accept what is dragged if it is wanted, never as a move: its owner would remove it."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.setAccepted(wanted and bool(event.possibleActions() & Qt.DropAction.CopyAction))


def folder_at(place: Path) -> Path:
    """Return a folder that was chosen or dropped; of a file that was dropped the one it is in."""
    return place.parent if place.is_file() else place


def _path_in(data: QMimeData) -> str:
    """Return the path of the one file that is dragged; "" for anything else."""
    urls = data.urls()
    return urls[0].toLocalFile() if len(urls) == 1 else ""


class ProgressLine(QProgressBar):
    """Line that is filled by the share that is done; while that is not known, a part moves along.

    Other styles fill all of it then, which looks like the end.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._place = 0  # of the part that moves, in percent
        self._moving = QTimer(self, interval=_MOVE)
        self._moving.timeout.connect(self._move)
        self.setTextVisible(False)
        self.setFixedHeight(_LINE)
        self.wait()

    def wait(self) -> None:
        """Show that the share is not known."""
        self.setRange(0, 0)

    def show_share(self, done: int, total: int) -> None:
        """Show a share."""
        self.setRange(0, max(total, 1))
        self.setValue(done)

    @property
    def filled(self) -> QRectF:
        """What of it is filled."""
        room = QRectF(self.rect())
        if self.maximum():
            return QRectF(0, 0, room.width() * self.value() / self.maximum(), room.height())
        return QRectF(room.width() * (self._place / 100 - _PART), 0, room.width() * _PART, _LINE)

    def showEvent(self, event: object) -> None:  # noqa: N802, D102
        self._moving.start()

    def hideEvent(self, event: object) -> None:  # noqa: N802, D102
        self._moving.stop()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("line"))
        painter.fillRect(self.filled, self._theme.colour("accent"))
        painter.end()

    def _move(self) -> None:
        if not self.maximum():
            self._place = (self._place + 2) % round(100 * (1 + _PART))
            self.update()


class Toggle(QAbstractButton):
    """Toggle button: a word in a rounded frame, filled while checked, faint while disabled."""

    def __init__(
        self, words: str, colour: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._colour = colour
        self.setText(words)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def event(self, event: QEvent) -> bool:
        """Be painted as the mouse comes and goes, also to a menu that opens (called by Qt)."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        width = int(self.fontMetrics().horizontalAdvance(self.text()) * 1.1) + 24
        return QSize(width, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, usable, focus = self._theme, self.isEnabled(), self.hasFocus()
        filled = usable and self.isChecked()
        surface = theme.colour(self._colour if filled else "field")
        if usable and self.underMouse():
            surface = QColor(blend(surface.name(), theme.palette.muted, 0.12))
        quiet = self._colour if filled else "done" if usable else "line"
        # Half a pixel in, so that a border of one pixel is sharp.
        edge = 1.0 if focus else 0.5
        painter.setPen(QPen(theme.colour("accent" if focus else quiet), 2 * edge))
        painter.setBrush(surface)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), 5, 5)
        painter.setPen(theme.colour(("card" if filled else "text") if usable else "done"))
        painter.setFont(theme.font(bold=filled))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.end()


def push_button(words: str, about: str, theme: Theme) -> Toggle:
    """Return a button of the same look that does something once, whenever it is pressed."""
    button = Toggle(words, "accent", theme)
    button.setCheckable(False)
    button.setToolTip(about)
    button.setAccessibleName(about)
    return button


class CheckBox(QAbstractButton):
    """Check box in the colours of the palette."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(_BOX + 1, _BOX + 1)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        roles, palette = QPalette.ColorRole, self.palette()
        edge = palette.color(roles.Highlight if self.hasFocus() else roles.PlaceholderText)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.5)
        painter.setPen(QPen(edge, 2 if self.hasFocus() else 1.2))
        painter.setBrush(palette.color(roles.Highlight if self.isChecked() else roles.Base))
        painter.drawRoundedRect(QRectF(1, 1, _BOX - 1, _BOX - 1), 3, 3)
        if self.isChecked():
            painter.setPen(QPen(palette.color(roles.HighlightedText), 2.2))
            painter.drawPolyline(_TICK)
        painter.end()


def make_choice(name: str, entries: Sequence[str]) -> QComboBox:
    """Return a box to choose one of several entries."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.addItems(list(entries))
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box


class IconButton(QToolButton):
    """Icon button; its words are the tool tip and the name for a screen reader.

    Args:
        name: of the icon.
        words: what it does, with its key in brackets.
        theme: colours.
    """

    def __init__(self, name: str, words: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._theme = name, theme
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setAutoRaise(True)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        side = round(_BUTTON_SIDE * self._theme.points)
        self.setIconSize(QSize(side, side))
        self.setFixedSize(side + 14, side + 10)
        self.setIcon(icon(self._name, self._theme.colour("muted"), self._theme.colour("line")))


def point_at(widget: QWidget, on: bool) -> None:
    """Show a hand where a click does something, and an arrow elsewhere."""
    shape = Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor
    if widget.cursor().shape() != shape:
        widget.setCursor(shape)


class Slider(QSlider):
    """Horizontal slider in the theme's colours."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def event(self, event: QEvent) -> bool:
        """Be painted as the mouse comes and goes, also to a menu that opens (called by Qt)."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(84, 22)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        kind, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
        knob = self.style().subControlRect(kind, option, part, self)
        at = QPointF(QRectF(knob).center())
        groove = QRectF(_KNOB, at.y() - _GROOVE / 2, self.width() - 2 * _KNOB, _GROOVE)
        theme, usable = self._theme, self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("done" if usable else "line"))
        painter.drawRoundedRect(groove, _GROOVE / 2, _GROOVE / 2)
        painter.setBrush(theme.colour("accent" if usable else "line"))
        done = QRectF(groove.topLeft(), QPointF(at.x(), groove.bottom()))
        painter.drawRoundedRect(done, _GROOVE / 2, _GROOVE / 2)
        strong = usable and (self.underMouse() or self.isSliderDown() or self.hasFocus())
        painter.setPen(QPen(theme.colour("accent" if usable else "line"), 3 if strong else 2))
        painter.setBrush(theme.colour("card"))
        painter.drawEllipse(at, _KNOB - 1, _KNOB - 1)
        painter.end()
