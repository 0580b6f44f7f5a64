"""Buttons at the right of the tabs: what is often wanted, for who knows no key of it.

Where the tabs need the room, a menu holds them, and where that is not enough others as well.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from ed_viewer.widgets.controls import IconButton
from ed_viewer.widgets.tool_row import ToolRow
from ed_viewer.window.feature import Feature
from ed_viewer.window.key_sheet import KeySheet
from ed_viewer.window.workbench import Aspect, Workbench

_BUTTONS = (
    ("search", "palette", "Search commands (Ctrl+K)"),
    ("full", "full", "Lecture mode: full stage, larger text (F)"),
    ("theme", "theme", "Light or dark theme (T)"),
    ("layout", "reset", "Reset the layout (Ctrl+0)"),
    ("help", "help", "Keyboard shortcuts (F1)"),
)
_SPACE = 48  # pixels between the tools together, and beside them


class ViewToolsFeature(Feature):
    """A row of icons, each with words; each does what a key does."""

    name = "tools"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.tool = self._row = ToolRow()
        self.buttons: dict[str, IconButton] = {}
        for icon, command, words in _BUTTONS:
            button = self.buttons[command] = IconButton(icon, words, bench.theme)
            button.clicked.connect(partial(bench.act, command))
            self._row.add(button, words)
        self.more = self._make_more()
        self._row.add(self.more)
        self._row.use([self.more], False)
        stage, theme = bench.stage, bench.theme
        bench.aspects += [
            Aspect("tab", self._title, self._show_tab, stage.currentChanged, of_run=True),
            Aspect("theme", lambda: theme.palette.name, self._set_theme, theme.changed),
            Aspect("lecture mode", lambda: bench.full, bench.set_full, bench.full_changed),
        ]

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the keys of the view do."""
        bench = self.bench
        return {
            "full": lambda _: bench.set_full(not bench.full),
            "leave": lambda _: bench.set_full(False),
            "screen": lambda _: self._toggle_screen(),
            "theme": lambda _: bench.theme.toggle(),
            "open": lambda _: self._ask_for_run(),
            "quit": self._quit,
            "help": lambda _: KeySheet(bench.theme, bench).open(),
        }

    def ready(self) -> None:
        """Make room from now on, whenever tools come or go."""
        corner = self.bench.stage.cornerWidget()
        assert corner is not None
        corner.installEventFilter(self)
        self.bench.stage.resized.connect(self.fit)
        self.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Make room for what has come (called by Qt)."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return False

    def fit(self) -> None:
        """Show the tools, or the menu in the place of those that take room that the tabs need."""
        stage, tabs = self.bench.stage, self.bench.stage.tabs
        tools = self.bench.tools
        others = [tool for tool in tools if isinstance(tool, ToolRow) and tool is not self._row]
        fixed = sum(tool.sizeHint().width() for tool in tools if not isinstance(tool, ToolRow))
        room = stage.width() - fixed - sum(row.wide for row in others) - _SPACE
        short = tabs.wanted + sum(button.width() for button in self.buttons.values()) > room
        folding: list[ToolRow] = []
        for row in sorted(others, key=lambda row: -row.spare):
            if tabs.needed + self.more.width() > room:
                folding.append(row)
                room += row.spare
        self._fold(short, folding, others)
        corner = stage.cornerWidget()
        if corner is not None:
            tabs.set_room(stage.width() - corner.sizeHint().width())

    def _fold(self, short: bool, folding: Sequence[ToolRow], others: Sequence[ToolRow]) -> None:
        """Let the menu hold the view's tools, and those of other features."""
        held = QApplication.focusWidget()
        for row in others:
            row.fold(row in folding)
        self._row.use([self.more], short)
        self._row.fold(short)
        in_menu = [tool for row in (*others, self._row) for tool in row.in_menu]
        if held in in_menu:  # the keys stay here
            self.more.setFocus()
        elif held is self.more and not short:
            self.buttons["palette"].setFocus()

    def _make_more(self) -> IconButton:
        more = IconButton("more", "More", self.bench.theme)
        more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.aboutToShow.connect(self._fill)
        more.setMenu(menu)
        return more

    def _fill(self) -> None:
        """Put into the menu what has no room beside it now."""
        menu = self.more.menu()
        menu.clear()
        for old in menu.findChildren(QMenu):
            old.deleteLater()
        for tool in self.bench.tools:
            if isinstance(tool, ToolRow):
                tool.fill(menu)
                menu.addSeparator()

    def _ask_for_run(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.bench, "Open a run")
        if chosen:
            self.bench.open(Path(chosen))

    def _title(self) -> str:
        return self.bench.stage.tabText(self.bench.stage.currentIndex())

    def _show_tab(self, title: str) -> None:
        stage = self.bench.stage
        titles = [stage.tabText(tab) for tab in range(stage.count())]
        if title in titles:
            stage.setCurrentIndex(titles.index(title))

    def _set_theme(self, name: str) -> None:
        if self.bench.theme.palette.name != name:
            self.bench.theme.toggle()

    def _quit(self, _: int) -> None:
        self.bench.close()

    def _toggle_screen(self) -> None:
        bench = self.bench
        (bench.showNormal if bench.isFullScreen() else bench.showFullScreen)()
