"""Row of tools; some of them move to a menu if there is little room."""

from collections.abc import Iterable
from functools import partial

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QAbstractButton, QComboBox, QHBoxLayout, QMenu, QWidget

Tool = QAbstractButton | QComboBox


class ToolRow(QWidget):
    """A row of buttons and boxes that knows how wide it is with all of them.

    Args:
        space: pixels between two tools.
    """

    def __init__(self, space: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(space)
        self._words: dict[Tool, str] = {}
        self._idle: set[Tool] = set()
        self._folded = False

    def add(self, tool: Tool, words: str = "") -> None:
        """Add a tool at the right.

        Args:
            tool: a button, or a box to choose from.
            words: of its entry in the menu, which adds its key; "" for one that never folds.
        """
        self._words[tool] = words
        self._row.addWidget(tool)

    def use(self, tools: Iterable[Tool], on: bool) -> None:
        """Show tools that are of use now, or hide them."""
        self._idle = self._idle - set(tools) if on else self._idle | set(tools)
        self._show()

    def fold(self, on: bool) -> None:
        """Let what can stand in a menu stand there, or here."""
        if on != self._folded:
            self._folded = on
            self._show()
            # Not in `use`: without a parent yet, it would be a window of its own.
            self.setVisible(len(self.in_menu) + len(self._idle) < len(self._words))

    @property
    def wide(self) -> int:
        """How wide all tools that are of use now are together, in pixels."""
        return self._width(self._words.keys() - self._idle)

    @property
    def spare(self) -> int:
        """How much of that is gained when they fold."""
        used = self._words.keys() - self._idle
        return self.wide - self._width([tool for tool in used if not self._words[tool]])

    @property
    def in_menu(self) -> list[Tool]:
        """What stands in the menu now."""
        folded = (tool for tool, words in self._words.items() if words and self._folded)
        return [tool for tool in folded if tool not in self._idle]

    def fill(self, menu: QMenu) -> None:
        """Add an entry for each tool that stands in the menu now, as it is now."""
        for tool in self.in_menu:
            if isinstance(tool, QComboBox):
                choices = QMenu(self._entry(tool), menu)
                _add_choice(choices, tool)
                menu.addMenu(choices)
                continue
            action = menu.addAction(self._entry(tool), tool.click)
            action.setCheckable(tool.isCheckable())
            action.setChecked(tool.isChecked())

    def _entry(self, tool: Tool) -> str:
        keys = tool.property("keys")
        return f"{self._words[tool]} ({keys})" if keys else self._words[tool]

    def _show(self) -> None:
        hidden = self._idle.union(self.in_menu)
        for tool in self._words:
            tool.setVisible(tool not in hidden)

    def _width(self, tools: Iterable[Tool]) -> int:
        widths = [max(tool.sizeHint().width(), tool.minimumWidth()) for tool in tools]
        return sum(widths) + self._row.spacing() * max(len(widths) - 1, 0)


def _add_choice(menu: QMenu, box: QComboBox) -> None:
    group = QActionGroup(menu)
    for index in range(box.count()):
        action = menu.addAction(box.itemText(index), partial(box.setCurrentIndex, index))
        action.setCheckable(True)
        action.setChecked(index == box.currentIndex())
        group.addAction(action)
