"""Layout of tiles and their names."""

from dataclasses import dataclass, field, replace
from math import ceil

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics

from ed_viewer.widgets.tiles.tile_set import TileSet

Text = tuple[QRect, str, Qt.AlignmentFlag]
Margins = tuple[int, int, int, int, int]

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter
_SPACE = 8  # pixels between names and tiles, and between blocks
_WORTH = 1.3  # times as large must tiles become for columns to be left out
_NAME = 96  # pixels that the name of a column may take from its neighbours
_SHORT = 1.6  # lines of type: as wide must a column be for a part of its name to be of use
_WHOLE = 0.9  # of the width that there is: so much is worth that all pixels are equally large


@dataclass(frozen=True, slots=True)
class TileLayout:
    """Layout of rows of tiles.

    Attributes:
        rows, columns: how many of them have room.
        per_block: columns side by side; the others go on below.
        width: of a tile, in pixels.
        tops: of each row within a block; heights: of each row.
        block: from the top of a block to that of the next.
        line: of type, in pixels.
        names: the width of the longest name of a column, in pixels.
        title: the left of the title of the rows.
        box: around all tiles.
        texts: names, where they stand and how they are aligned.
    """

    rows: int = 0
    columns: int = 0
    per_block: int = 1
    width: int = 0
    gap: int = 0
    tops: tuple[int, ...] = ()
    heights: tuple[int, ...] = ()
    block: int = 0
    line: int = 0
    names: int = 0
    title: int = 0
    box: QRect = field(default_factory=QRect)
    texts: tuple[Text, ...] = ()

    def cell(self, row: int, column: int) -> QRect:
        """Return where a tile is drawn."""
        block, place = divmod(column, self.per_block)
        left = self.box.left() + place * (self.width + self.gap)
        top = self.box.top() + block * self.block + self.tops[row]
        return QRect(left, top, self.width, self.heights[row])

    def find(self, point: QPoint) -> tuple[int, int] | None:
        """Return (row, column) of the tile at a point, None beside the tiles."""
        if not self.width or not self.box.contains(point):
            return None
        block, down = divmod(point.y() - self.box.top(), max(self.block, 1))
        place = (point.x() - self.box.left()) // (self.width + self.gap)
        column = block * self.per_block + place
        for row in range(self.rows):
            inside = self.tops[row] <= down < self.tops[row] + self.heights[row]
            if inside and place < self.per_block and column < self.columns:
                return row, column
        return None


def lay_out(tiles: TileSet, size: QSize, metrics: QFontMetrics) -> TileLayout:
    """Return the layout with the largest tiles that fit; rows and columns that do not are cut.

    Columns are cut before tiles become narrower than is comfortable, rows only before they become
    too small to be seen at all.
    """
    if not tiles.rows:
        return TileLayout()
    margins = _margins(tiles, size, metrics)
    gutter, heads, foot, _, _ = margins
    room = QSize(max(size.width() - gutter, 1), max(size.height() - foot, 1))
    count = max(len(row.pixels) for row in tiles.rows)
    rows, smallest, gap = len(tiles.rows), tiles.style.smallest, tiles.style.gap
    tries = range(1, (min(count, 8) if tiles.style.wrap else 1) + 1)
    width, blocks = max(
        (_width(tiles, rows, ceil(count / n), _share(room, n, heads)), -n) for n in tries
    )
    per_block = ceil(count / -blocks)
    options = [_fewer(tiles, count, n, _share(room, n, heads)) for n in tries]
    larger, fewer, some = max(options, key=lambda option: option[0] ** 2 * option[2])  # area
    if width * _WORTH <= larger:
        per_block, count, width = fewer, some, larger
    if width < smallest:
        per_block = count = max(min(count, (room.width() + gap) // (smallest + gap)), 1)
        room = _share(room, 1, heads)
        while rows > 1 and _width(tiles, rows, per_block, room) < smallest:
            rows -= 1
        width = _width(tiles, rows, per_block, room)
    return _place(tiles, (rows, count, per_block, max(width, 1)), margins, size)


def _margins(tiles: TileSet, size: QSize, metrics: QFontMetrics) -> Margins:
    """Return the room at the left, above each block, at the foot, of a line, of a column's name."""
    line = metrics.height()
    if tiles.style.bare:
        return 0, 0, 0, line, 0
    advance, third, half = metrics.horizontalAdvance, size.width() // 3, size.width() // 2
    longest = max(advance(row.label) for row in tiles.rows)
    # A name of several words may stand on several lines, a word may not be cut.
    word = max((advance(word) for row in tiles.rows for word in row.label.split()), default=0)
    gutter = min(longest, max(third, min(word, half))) + _SPACE if longest else 0
    gutter += line + _SPACE // 2 if tiles.y_title else 0
    heads = line + _SPACE // 2 if any(tiles.columns) else 0
    names = max((metrics.horizontalAdvance(name) for name in tiles.columns), default=0)
    return gutter, heads, line if tiles.x_title else 0, line, names


def _share(room: QSize, blocks: int, heads: int) -> QSize:
    """Return the room for the tiles of one of several blocks."""
    return QSize(room.width(), (room.height() - (blocks - 1) * _SPACE) // blocks - heads)


def _width(tiles: TileSet, rows: int, columns: int, room: QSize) -> int:
    """Return the largest width of a tile with which so many rows and columns fit."""
    gap = tiles.style.gap
    slopes = sum(height / width for width, height in (row.shape for row in tiles.rows[:rows]))
    across = (room.width() - (columns - 1) * gap) // columns
    down = int((room.height() - (rows - 1) * gap - rows) / slopes)
    width = max(min(across, down), 0)
    own = int(tiles.rows[0].shape[0])
    whole = width // own * own  # all pixels of an image equally large, if that costs little room
    return whole if whole >= _WHOLE * width else width


def _fewer(tiles: TileSet, count: int, blocks: int, room: QSize) -> tuple[int, int, int]:
    """Return a comfortable width, how many tiles of it stand side by side, and how many in all.

    Args:
        tiles: what is drawn.
        count: of columns.
        blocks: one below the other.
        room: of one of them.
    """
    rows, gap = len(tiles.rows), tiles.style.gap
    easy = min(tiles.style.comfortable, _width(tiles, rows, 1, room))
    if easy <= 0:
        return 0, count, count
    fewer = max(min(ceil(count / blocks), (room.width() + gap) // (easy + gap)), 1)
    return _width(tiles, rows, fewer, room), fewer, min(fewer * blocks, count)


def _place(
    tiles: TileSet, grid: tuple[int, int, int, int], margins: Margins, size: QSize
) -> TileLayout:
    rows, count, per_block, width = grid
    gutter, heads, foot, line, names = margins
    gap = tiles.style.gap
    heights = tuple(max(round(width * h / w), 1) for w, h in (r.shape for r in tiles.rows[:rows]))
    tops, down = [], 0
    for height in heights:
        tops.append(down)
        down += height + gap
    down -= gap
    # From here on that between columns; what room is left lets names stand beside each other.
    spread = min(names + _SPACE, (size.width() - gutter) // per_block, 2 * width)
    apart = spread if names and not tiles.style.below else 0
    gap = max(gap, tiles.style.pitch - width, apart - width)
    blocks = ceil(count / per_block)
    block = down + heads + _SPACE
    across = per_block * (width + gap) - gap
    above = 0 if tiles.style.below else heads
    total = blocks * block - _SPACE + foot
    left = gutter + max((size.width() - gutter - across) // 2, 0)
    top = above + max((size.height() - total) // 2, 0)
    box = QRect(left, top, across, (blocks - 1) * block + down)
    bare = TileLayout(rows, count, per_block, width, gap, tuple(tops), heights, block, line, names)
    bare = replace(bare, title=left - gutter, box=box)
    if tiles.style.bare:
        return bare
    texts = _names(tiles, bare, heads, size.width()) + _title(tiles, bare, heads, foot)
    return replace(bare, texts=tuple(texts))


def _names(tiles: TileSet, layout: TileLayout, line: int, right: int) -> list[Text]:
    """Return the names of rows and columns; where they are narrow, of every second, third..."""
    every = max(ceil(layout.line / (min(layout.heights) + layout.gap)), 1)
    texts: list[Text] = []
    for column in range(layout.columns):
        if column % layout.per_block == 0:
            for row in range(0, layout.rows, every):
                cell = layout.cell(row, column)
                high = max(cell.height(), layout.line)
                rect = QRect(0, cell.center().y() - high // 2, cell.left() - _SPACE, high)
                texts.append((rect, tiles.rows[row].label, _RIGHT))
    return texts + _column_names(tiles, layout, line, right)


def _column_names(tiles: TileSet, layout: TileLayout, line: int, right: int) -> list[Text]:
    names = tiles.columns[: layout.columns]
    pitch = layout.width + layout.gap
    every = max(min(ceil((layout.names + _SPACE) / pitch), ceil(_NAME / pitch)), 1)
    if not tiles.style.below and pitch - _SPACE >= _SHORT * layout.line:
        every = 1  # the numbers of an axis can be guessed, a class cannot: it ends in dots
    half = min(layout.names, every * pitch - _SPACE) // 2
    texts: list[Text] = []
    for column, name in enumerate(names):
        if column % layout.per_block % every:
            continue
        last = layout.cell(layout.rows - 1, column)
        middle = last.center().x()
        top = last.bottom() + 4 if tiles.style.below else layout.cell(0, column).top() - line
        if middle + half <= right:  # the last one may be wider than what is left
            texts.append((QRect(middle - half, top, 2 * half + 2, line - 4), name, _CENTRE))
    return texts


def _title(tiles: TileSet, layout: TileLayout, heads: int, foot: int) -> list[Text]:
    if not tiles.x_title:
        return []
    down = layout.box.bottom() + 4 + (heads if tiles.style.below else 0)
    return [(QRect(layout.box.center().x() - 500, down, 1000, foot), tiles.x_title, _CENTRE)]
