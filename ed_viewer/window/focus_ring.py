"""A ring around what the keyboard is on, the same around everything, and keys that reach it."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QTabBar,
    QWidget,
)

from ed_viewer.style.theme import Theme
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_WIDTH = 2  # pixels
_ARROWS = {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down}
_ENDS = {Qt.Key.Key_Home, Qt.Key.Key_End}
_PRESS = {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}
_MOVED = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


def keys_of(widget: QWidget) -> set[Qt.Key]:
    """Return the keys that a widget needs while the ring is on it; elsewhere they are shortcuts."""
    if isinstance(widget, QAbstractButton):
        return _PRESS
    if isinstance(widget, QTabBar | QAbstractSlider):
        return _ARROWS | _ENDS
    if isinstance(widget, QComboBox):
        return {Qt.Key.Key_Space, Qt.Key.Key_Up, Qt.Key.Key_Down}
    if isinstance(widget, QAbstractScrollArea):
        return _ARROWS | _ENDS | _PRESS
    wanted = getattr(widget, "keys", ())
    return set(wanted)


class FocusRing(Feature):
    """Shows the ring where the Tab key moves the focus, and hides it when the mouse is used."""

    name = "focus"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._on: QWidget | None = None
        self.ring = _Ring(bench.theme, bench)
        self._app = QGuiApplication.instance()
        assert isinstance(self._app, QApplication)
        self._app.focusChanged.connect(self._on_focus)

    def end(self) -> None:
        """Let go of the widget and of the application, which outlives the window."""
        self._leave()
        assert isinstance(self._app, QApplication)
        self._app.focusChanged.disconnect(self._on_focus)

    def _on_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        self._leave()
        if now is None or now.window() is not self.bench or not self.bench.tabbing:
            return
        self._on = now
        now.installEventFilter(self)
        self._place()

    def _leave(self) -> None:
        if self._on is not None:
            self._on.removeEventFilter(self)
            self._on = None
        self.ring.hide()

    def _place(self) -> None:
        widget = self._on
        if widget is None or not widget.isVisible():
            self.ring.hide()
            return
        seen = widget.visibleRegion().boundingRect() or widget.rect()
        corner = widget.mapTo(self.bench, seen.topLeft())
        grown = QRect(corner, seen.size()).adjusted(-_WIDTH, -_WIDTH, _WIDTH, _WIDTH)
        self.ring.setGeometry(grown & self.bench.rect())
        self.ring.show()
        self.ring.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Move with the widget, and give it the keys that it needs (called by Qt)."""
        kind = event.type()
        if kind in _MOVED:
            self._place()
        elif kind == QEvent.Type.MouseButtonPress:
            self.ring.hide()
        elif isinstance(event, QKeyEvent) and isinstance(watched, QWidget):
            plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain == Qt.KeyboardModifier.NoModifier and self.ring.isVisible():
                return self._key(watched, event)
        return False

    def _key(self, widget: QWidget, event: QKeyEvent) -> bool:
        if event.key() not in keys_of(widget):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.type() == QEvent.Type.KeyPress and enter and isinstance(widget, QAbstractButton):
            widget.click()
            return True
        return False


class _Ring(QWidget):
    """Two pixels in the accent's colour; the mouse goes through it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("accent"), _WIDTH))
        half = _WIDTH // 2
        box = QRect(QPoint(half, half), self.size()).adjusted(0, 0, -_WIDTH, -_WIDTH)
        painter.drawRoundedRect(box, 4, 4)
        painter.end()
