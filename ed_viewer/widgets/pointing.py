"""The pointer over what can be clicked."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def point_at(widget: QWidget, on: bool) -> None:
    """Show a hand where a click does something, and an arrow elsewhere."""
    shape = Qt.CursorShape.PointingHandCursor if on else Qt.CursorShape.ArrowCursor
    if widget.cursor().shape() != shape:
        widget.setCursor(shape)
