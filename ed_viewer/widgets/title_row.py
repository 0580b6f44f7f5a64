"""A title at the left and values at the right of one line: where both have no room, values win."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.caption import Caption
from ed_viewer.widgets.text import tip

_SPACE = 8  # pixels between the two
_TYPE = 0.95  # of body type


class TitleRow(QWidget):
    """The first value is shown whole; the title has the rest, before the other values.

    Args:
        title: in bold type.
        about: its tool tip.
        theme: colours and type.

    Attributes:
        title, value: the two texts.
    """

    def __init__(self, title: str, about: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.title = Caption(theme, "text", Qt.AlignmentFlag.AlignLeft, least=0, parent=self)
        self.title.say(title)
        tip(self.title, about)
        self.value = Caption(theme, least=0, parent=self)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.restyle()

    def say(self, values: str, about: str) -> None:
        """Show values, two spaces between them, and explain them in a tool tip."""
        self.value.say(values)
        tip(self.value, about)
        self._arrange()

    def restyle(self) -> None:
        """Take the size of type from the theme."""
        self.title.setFont(self._theme.font(_TYPE, bold=True))
        self.value.setFont(self._theme.font(_TYPE))
        self.updateGeometry()
        self._arrange()

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(0, self.title.sizeHint().height())

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._arrange()

    def _arrange(self) -> None:
        advance = self.value.fontMetrics().horizontalAdvance
        whole, first = advance(self.value.text), advance(self.value.text.split("  ")[0])
        title = self.title.fontMetrics().horizontalAdvance(self.title.text)
        wide = min(max(first, min(whole, self.width() - title - _SPACE)), self.width())
        self.value.setGeometry(self.width() - wide, 0, wide, self.height())
        rest = max(self.width() - wide - (_SPACE if wide else 0), 0)
        self.title.setGeometry(0, 0, rest, self.height())
