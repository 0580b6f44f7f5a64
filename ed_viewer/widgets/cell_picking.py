"""Keys of widgets with cells, one of which can be picked."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

Pick = tuple[int, int]
"""Row and column."""

_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
KEYS = (*_MOVES, *_TAKE, Qt.Key.Key_Escape)


def takes_key(event: QEvent, pick: Pick | None) -> bool:
    """Accept a key that is also a shortcut of the window if it changes the pick."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    keys = _TAKE if pick is None else (*_MOVES, Qt.Key.Key_Escape)
    if not plain or event.key() not in keys:
        return False
    event.accept()
    return True


def after(key: Qt.Key, pick: Pick | None) -> Pick | None:
    """Return the pick after one of `KEYS`; it may be outside the cells."""
    if key == Qt.Key.Key_Escape:
        return None
    if pick is None:
        return (0, 0)
    down, right = _MOVES.get(key, (0, 0))
    return pick[0] + down, pick[1] + right
