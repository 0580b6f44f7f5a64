"""A button with an icon out of `icons`, in the theme's colours, that says in words what it does."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.icons import icon

_SIDE = 1.8  # pixels a point of body type


class IconButton(QToolButton):
    """The words are its tool tip and its name for a screen reader.

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
        side = round(_SIDE * self._theme.points)
        self.setIconSize(QSize(side, side))
        self.setFixedSize(side + 14, side + 10)
        self.setIcon(icon(self._name, self._theme.colour("muted"), self._theme.colour("line")))
