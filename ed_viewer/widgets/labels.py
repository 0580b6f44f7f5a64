"""Labels of one line that shorten their text to the available room."""

import re
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QBrush, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from ed_viewer.style.text import tip
from ed_viewer.style.theme import Theme

_NARROW = 160  # pixels: smallest width of a caption
_BAR, _SPACE = 72, 8  # pixels of a colour bar, and before it
Bar = Literal["", "first", "last"]
"""Beside which part of the text a bar of signed colours stands, "" for none."""
_GAP = re.compile(r" · |  | \(")  # between the parts of a text, the first of which says most
_SHORT = {"mean squared error": "MSE", "mean square ": "MS "}
_TITLE_SPACE = 8  # pixels between the two
_TYPE = 0.95  # of body type
_LEAST = 4  # letters


class Caption(QWidget):
    """Caption of plain text that drops whole parts; a QLabel would cut a letter in two."""

    def __init__(
        self,
        theme: Theme,
        colour: str = "muted",
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight,
        least: int = _NARROW,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._least = least  # pixels: what is cut shorter than that is left out
        self._theme = theme
        self._colour = colour
        self._align = align
        self.text = ""
        self.bar: Bar = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, text: str, bar: Bar = "") -> None:
        """Show another text, and a bar of signed colours beside its part that says their ends."""
        if (text, bar) != (self.text, self.bar):
            self.text, self.bar = text, bar
            tip(self, text)
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(0, self.fontMetrics().height())

    @property
    def shown(self) -> str:
        """What there is room for, the tool tip has all: without parts, then in shorter words."""
        metrics, text = self.fontMetrics(), self.text
        room = self.width() - (_SPACE + _BAR if self.barred else 0)
        while metrics.horizontalAdvance(text) > room and _GAP.search(text):
            text = text[: list(_GAP.finditer(text))[-1].start()]
        if metrics.horizontalAdvance(text) > room:
            for words, short in _SHORT.items():
                text = text.replace(words, short)
            text = text if metrics.horizontalAdvance(text) <= room else text.split(" of ")[0]
        if metrics.horizontalAdvance(text) <= room:
            return text
        if self.width() < self._least:
            return ""  # a few letters and dots say nothing
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.width())

    @property
    def barred(self) -> bool:
        """Whether a bar of the colours has room beside the part that says what its ends are."""
        part = _GAP.split(self.text)[0] if self.bar == "first" else self.text
        wide = self.fontMetrics().horizontalAdvance(part)
        return self.bar != "" and wide + _SPACE + _BAR <= self.width()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setPen(self._theme.colour(self._colour))
        flags = self._align | Qt.AlignmentFlag.AlignVCenter
        room = self.rect()
        if self.barred and self.bar == "first":
            wide = self.fontMetrics().horizontalAdvance(self.shown)
            left = room.right() - wide - _SPACE - _BAR
            self._paint_bar(painter, QRect(left, 0, _BAR, self.height()))
        elif self.barred:
            room.setRight(room.right() - _BAR - _SPACE)
            self._paint_bar(painter, QRect(room.right() + _SPACE, 0, _BAR, self.height()))
        painter.drawText(room, int(flags) | int(Qt.TextFlag.TextSingleLine), self.shown)
        painter.end()

    def _paint_bar(self, painter: QPainter, where: QRect) -> None:
        """Paint the colours of differences, from the most negative to the most positive."""
        where = where.adjusted(0, self.height() // 6, -1, -self.height() // 6)
        ramp = QLinearGradient(where.topLeft(), where.topRight())
        for place, name in ((0.0, "below"), (0.5, "zero"), (1.0, "above")):
            ramp.setColorAt(place, self._theme.colour(name))
        painter.save()
        painter.setPen(self._theme.colour("line"))
        painter.setBrush(QBrush(ramp))
        painter.drawRect(where)
        painter.restore()


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
        wide = min(max(first, min(whole, self.width() - title - _TITLE_SPACE)), self.width())
        self.value.setGeometry(self.width() - wide, 0, wide, self.height())
        rest = max(self.width() - wide - (_TITLE_SPACE if wide else 0), 0)
        self.title.setGeometry(0, 0, rest, self.height())


class ElidingLabel(QLabel):
    """Label of one line of plain text, elided to the available room."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802, D102
        hint = self.sizeHint()
        least = _LEAST * self.fontMetrics().averageCharWidth()
        return QSize(min(hint.width(), least), hint.height())

    @property
    def shown(self) -> str:
        """As much of the text as there is room for: whole parts, or letters of the first."""
        text = self.text()
        while " · " in text and not self._has_room(text):
            text = text.rpartition(" · ")[0]
        return self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())

    def _has_room(self, text: str) -> bool:
        return self.fontMetrics().horizontalAdvance(text) <= self.width()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(flags) | int(Qt.TextFlag.TextSingleLine), self.shown)
        painter.end()


class PanelHeading(ElidingLabel):
    """Heading "kind · name"; without room for both the name, which tells panels apart."""

    @property
    def shown(self) -> str:
        """As much of the text as there is room for."""
        name = self.text().rpartition(" · ")[2]
        return name if self._has_room(name) and not self._has_room(self.text()) else super().shown
