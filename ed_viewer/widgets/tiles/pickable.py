"""Tiles with a pick: set by a click, moved by the arrow keys, cleared by Esc."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from ed_viewer.style.text import counted
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cell_picking import KEYS, Pick, after, takes_key
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_WORDS = "Click to enlarge; arrow keys: next; Esc: back"
PICTURES = TileStyle(wrap=True, comfortable=56)
"""Of rows of pictures: fewer samples rather than stamps."""


class PickableTiles(Tiles):
    """Tiles whose arrow keys move the pick, not the cursor, while they have the focus.

    Signals:
        picked: another tile, or none, is `pick`.
    """

    picked = Signal()
    clickable = True
    keys = KEYS
    pick: Pick | None = None

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setToolTip(_WORDS)

    def show_tiles(self, tiles: TileSet) -> None:
        """Draw other tiles; the pick stays where it is."""
        self._show(replace(tiles, selected=self.pick))

    def choose(self, pick: Pick | None) -> None:
        """Pick a tile (row, column), or none."""
        if pick is not None:
            pick = self._within(pick)
        if pick != self.pick:
            self.pick = pick
            self.show_tiles(self.shown)
            self.picked.emit()

    def has(self, pick: Pick) -> bool:
        """Return whether there is such a tile."""
        return self._within(pick) == pick

    def event(self, event: QEvent) -> bool:  # noqa: D102
        return takes_key(event, self.pick) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        key = Qt.Key(event.key())
        if key in self.keys:
            self.choose(after(key, self.pick))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        cell = self.grid.find(event.position().toPoint())
        self.choose(None if cell == self.pick else cell)

    def _show(self, tiles: TileSet) -> None:
        super().show_tiles(tiles)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # also while none is picked

    def _within(self, pick: Pick) -> Pick:
        """Return the nearest tile that there is."""
        row = min(max(pick[0], 0), max(self.grid.rows, 1) - 1)
        count = len(self.shown.rows[row].pixels) if self.shown.rows else 1
        return row, min(max(pick[1], 0), min(count, max(self.grid.columns, 1)) - 1)


class Sheet(PickableTiles):
    """Sheet of samples: a click enlarges one, another click or Esc goes back.

    An enlarged sample has its rows side by side; left and right show its neighbours.
    """

    _all = TileSet()

    def show_tiles(self, tiles: TileSet) -> None:
        """Draw other tiles: all of them, or those of the picked sample."""
        self._all = tiles
        if self.pick is not None and not self.has(self.pick):
            self.pick = None
        self._show(tiles if self.pick is None else _alone(tiles, self.pick[1]))

    @property
    def everything(self) -> TileSet:
        """All tiles, also while one sample is shown."""
        return self._all

    @property
    def sample(self) -> int | None:
        """The sample that is shown alone, None while all are shown."""
        return None if self.pick is None else self.pick[1]

    def cut(self, noun: str = "sample") -> list[str]:
        """Return how many columns have room, and how many rows have none; [] where all have.

        Args:
            noun: what a column is.
        """
        hidden = self.hidden_rows
        count = max((len(row.pixels) for row in self.shown.rows), default=0)
        parts = [f"{counted(self.columns, noun)} shown"] if self.columns < count else []
        return parts + ([f"no room for {counted(hidden, 'row')}"] if hidden else [])

    def choose(self, pick: Pick | None) -> None:
        """Show one sample (any row, its column), or all."""
        if pick is not None:
            count = self._count()
            pick = (0, min(max(pick[1], 0), count - 1)) if count else None
        if pick != self.pick:
            self.pick = pick
            self.show_tiles(self._all)
            self.picked.emit()

    def has(self, pick: Pick) -> bool:
        """Return whether there is such a sample."""
        return pick[1] < self._count()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        if self.pick is None:
            super().mousePressEvent(event)
        else:
            self.choose(None)

    def behind(self, row: int, column: int) -> tuple[TileSet, int, int]:
        """Return the tiles, row and column that are shown at a row and column of the screen."""
        if self.pick is None:
            return super().behind(row, column)
        beside = len(self.shown.rows) == 1  # the rows stand side by side
        return self._all, column if beside else row, self.pick[1]

    def _count(self) -> int:
        return min((len(row.pixels) for row in self._all.rows), default=0)


def _alone(tiles: TileSet, sample: int) -> TileSet:
    """Return one sample's rows as tiles side by side, or one above the other if sizes differ."""
    name = tiles.columns[sample] if sample < len(tiles.columns) else f"sample {sample + 1}"
    if len({row.pixels.shape[1:3] for row in tiles.rows}) > 1:
        rows = tuple(replace(r, pixels=r.pixels[sample : sample + 1]) for r in tiles.rows)
        return TileSet(rows, (name,))
    pixels = np.stack([row.pixels[sample] for row in tiles.rows])
    first, *others = (row.label for row in tiles.rows)
    labels = (f"{name}: {first}", *others)  # at the left, a name would take room from the tiles
    return TileSet((TileRow(pixels),), labels, style=TileStyle(wrap=True, gap=8))
