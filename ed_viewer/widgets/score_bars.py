"""Score bars: class colour, name and a number in 0..1, or its change in -1..1."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.style.text import signed
from ed_viewer.style.theme import Theme

_SWATCH, _BAR, _SPACE = 12, 56, 8  # pixels
_SHORT = 24  # pixels of a bar, at least
_APART = 16  # pixels between two columns
_NAME = 130  # pixels at most
_UNBOUNDED = 2**24 - 1  # Qt's word for no limit


@dataclass(frozen=True, slots=True)
class Score:
    """One line: a class and its number, None where it has none."""

    name: str
    colour: str
    value: float | None = None


class ScoreBars(QWidget):
    """Columns of scores; where they are too low for all, the last line says how many are left out.

    There is one column, but below pictures as many as have room side by side.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = ""
        self.scores: tuple[Score, ...] = ()
        self.signed = False
        self._room = 0  # pixels across, below pictures
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def show_scores(self, scores: Sequence[Score], title: str, signed: bool = False) -> None:
        """Show others, or what changed of them; the title says what they are of."""
        self.signed = signed
        self._title = title
        self.setAccessibleName(title)
        before, self.scores = [s.name for s in self.scores], tuple(scores)
        if before != [s.name for s in self.scores]:
            self.updateGeometry()
        self.update()

    def set_flat(self, most: int, room: int = 0) -> None:
        """Be as high as all lines, but no higher than so many pixels; 0 for all that there are.

        Args:
            most: pixels down.
            room: pixels across, of which as many columns are made as there is room for.
        """
        policies = QSizePolicy.Policy
        self._room = room if most else 0
        self.setMaximumHeight(most or _UNBOUNDED)
        self.setSizePolicy(
            policies.Preferred if most else policies.Fixed,
            policies.Fixed if most else policies.Expanding,
        )

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        columns = self._columns
        lines = (1 + ceil(len(self.scores) / columns)) * self._line
        return QSize(columns * (self._wide(self._bar) + _APART) - _APART, lines)

    def minimumSizeHint(self) -> QSize:  # noqa: N802, D102
        # Below pictures never as wide as they are now: nothing could become narrower again.
        return QSize(self._wide(_SHORT) if self._room else self.sizeHint().width(), 0)

    @property
    def _columns(self) -> int:
        """How many stand side by side."""
        return max((self._room + _APART) // (self._wide(_SHORT) + _APART), 1)

    @property
    def _bar(self) -> int:
        """How long a bar is that shows 1, in pixels."""
        spare = (self._room + _APART) // self._columns - _APART - self._wide(_SHORT)
        return min(_SHORT + spare, _BAR) if self._columns > 1 else _BAR

    def _wide(self, bar: int) -> int:
        """Return how wide a column is whose bars have this length, all in pixels."""
        number = self.fontMetrics().horizontalAdvance("+0.00")
        return _SWATCH + self._names() + bar + number + 3 * _SPACE

    @property
    def _line(self) -> int:
        return self.fontMetrics().height() + 6

    def changeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self._line
        columns, pitch = self._columns, self._wide(self._bar) + _APART
        down = max(self.height() // line - 1, 1)
        room = columns * down
        painter.setPen(self._theme.colour("muted"))
        self._write(painter, QRect(0, 0, self.width(), line), self._title)
        visible = self.scores if len(self.scores) <= room else self.scores[: room - 1]
        high = max(min(ceil(len(self.scores) / columns), down), 1)
        places = [QRect(n // high * pitch, (1 + n % high) * line, pitch, line) for n in range(room)]
        for place, score in zip(places, visible, strict=False):
            self._paint(painter, place, score)
        if len(visible) < len(self.scores):
            painter.setPen(self._theme.colour("muted"))
            below = places[len(visible)]
            self._write(painter, below, f"and {len(self.scores) - len(visible)} more")
        painter.end()

    def _paint(self, painter: QPainter, line: QRect, score: Score) -> None:
        left = line.left()
        painter.setPen(self._theme.colour("line"))
        painter.setBrush(score.colour)
        top = line.center().y() - _SWATCH // 2
        painter.drawRect(QRect(left, top, _SWATCH, _SWATCH))
        painter.setPen(self._theme.colour("text"))
        words = QRect(left + _SWATCH + _SPACE, line.top(), self._names(), line.height())
        dots = Qt.TextElideMode.ElideRight
        self._write(painter, words, self.fontMetrics().elidedText(score.name, dots, words.width()))
        bar = QRectF(words.right() + _SPACE, line.center().y() - 3, self._bar, 7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("line"))
        painter.drawRect(bar)
        value = min(max(score.value or 0.0, -1.0 if self.signed else 0.0), 1.0)
        painter.setBrush(self._theme.colour(self._hue(value)))
        begin = bar.center().x() if self.signed else bar.left()
        length = value * (bar.right() - begin)
        painter.drawRect(QRectF(begin, bar.top(), length, bar.height()).normalized())
        painter.setPen(self._theme.colour("text"))
        number = QRect(int(bar.right()) + _SPACE, line.top(), 200, line.height())
        self._write(painter, number, self.text(score))

    def text(self, score: Score) -> str:
        """Return a number as it is written."""
        if score.value is None:
            return "–"
        changed = self.signed and abs(score.value) >= 0.005
        return signed(f"{score.value:+.2f}") if changed else f"{abs(score.value):.2f}"

    def _hue(self, value: float) -> str:
        if not self.signed:
            return "muted"
        return "below" if value < 0 else "above"

    def _write(self, painter: QPainter, where: QRect, words: str) -> None:
        painter.drawText(where, int(Qt.AlignmentFlag.AlignVCenter), words)

    def _names(self) -> int:
        widths = [self.fontMetrics().horizontalAdvance(f"{s.name} ") for s in self.scores]
        return min(max(widths, default=0), _NAME)
