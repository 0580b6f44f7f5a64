"""Theme of the window: the system's, until the user chooses one."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QApplication

from ed_viewer.style.palette import DARK, LIGHT, Palette, qt_palette

BODY_POINTS = 11.0
LECTURE = 1.4  # type in the lecture mode is larger by this, for the last row of the hall


class Theme(QObject):
    """Theme that sets the application's palette and type size, and signals changes.

    Args:
        app: the application.
        name: "light", "dark", or None to follow the system.
    """

    changed = Signal()

    def __init__(self, app: QApplication, name: str | None = None) -> None:
        super().__init__()
        self._app = app
        self._lecture = False
        app.setStyle("Fusion")  # the only style that takes all its colours from the palette
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._follow_system)
        dark = hints.colorScheme() == Qt.ColorScheme.Dark
        self._chosen = name is not None
        self.palette: Palette = DARK if name == "dark" or (name is None and dark) else LIGHT
        self._apply()

    @property
    def points(self) -> float:
        """The size of body type, in points."""
        return BODY_POINTS * (LECTURE if self._lecture else 1.0)

    def toggle(self) -> None:
        """Change between light and dark; from now on the system is not followed."""
        self._chosen = True
        self.palette = LIGHT if self.palette is DARK else DARK
        self._apply()

    def set_lecture(self, on: bool) -> None:
        """Make the type larger, or not."""
        self._lecture = on
        self._apply()

    def colour(self, name: str) -> QColor:
        """Return a colour of the palette by its name there."""
        return QColor(getattr(self.palette, name))

    def font(self, scale: float = 1.0, bold: bool = False) -> QFont:
        """Return the application's font in a size relative to body type."""
        font = QFont(self._app.font())
        font.setPointSizeF(self.points * scale)
        font.setBold(bold)
        return font

    def _follow_system(self, scheme: Qt.ColorScheme) -> None:
        if not self._chosen and scheme != Qt.ColorScheme.Unknown:
            self.palette = DARK if scheme == Qt.ColorScheme.Dark else LIGHT
            self._apply()

    def _apply(self) -> None:
        font = self._app.font()
        if font.pointSizeF() != self.points:  # every widget is told, even of an equal one
            font.setPointSizeF(self.points)
            self._app.setFont(font)
        palette = qt_palette(self.palette)
        if self._app.palette() != palette:
            self._app.setPalette(palette)
        self.changed.emit()
