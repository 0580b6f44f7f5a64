"""Buttons at the right of the tabs: what is often wanted, for who knows no key of it.

Where the tabs need the room, a menu holds them, and where that is not enough others as well.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from ed_viewer.widgets.controls import IconButton
from ed_viewer.widgets.tool_row import ToolRow
from ed_viewer.window.commands import explain
from ed_viewer.window.feature import Feature
from ed_viewer.window.key_sheet import KeySheet
from ed_viewer.window.workbench import Aspect, Workbench

_BUTTONS = (
    ("search", "palette", "Search commands"),
    ("full", "full", "Lecture mode: full stage, larger text"),
    ("theme", "theme", "Light or dark theme"),
    ("layout", "reset", "Reset the layout"),
    ("help", "help", "Keyboard shortcuts"),
)
_TABS = 9  # that have a key
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
            self._row.add(button, words)
        self.more = self._make_more()
        self._row.add(self.more)
        self._row.use([self.more], False)
        self._make_commands()
        stage, theme = bench.stage, bench.theme
        bench.aspects += [
            Aspect("tab", self._title, self._show_tab, stage.currentChanged, of_run=True),
            Aspect("theme", lambda: theme.palette.name, self._set_theme, theme.changed),
            Aspect("lecture mode", lambda: bench.full, bench.set_full, bench.full_changed),
        ]

    def _make_commands(self) -> None:
        bench = self.bench
        self._tabs = [self._tab_command(place) for place in range(_TABS)]
        bench.stage.resized.connect(self._name_tabs)
        for name, words, keys, act, menu in (
            ("full", "Lecture mode: full stage, larger text", "F", self._toggle_full, "View"),
            ("leave", "Leave lecture mode", "Esc", partial(bench.set_full, False), "View"),
            ("screen", "Full screen", "F11", self._toggle_screen, "View"),
            ("theme", "Light or dark theme", "T", bench.theme.toggle, "View"),
            ("open", "Open a run", "Ctrl+O", self._ask_for_run, "File"),
            ("help", "Keyboard shortcuts", "F1", self._show_keys, "Help"),
            ("quit", "Close the window", "Ctrl+Q", bench.close, "File"),
        ):
            self.command(name, words, keys, act, menu=menu)
        if not bench.menuBar().isNativeMenuBar():
            self.command("menu", "Show or hide the menu bar", "F10", self._toggle_menu, menu="View")

    def _tab_command(self, place: int) -> QAction:
        show = partial(self.bench.stage.setCurrentIndex, place)
        action = self.command(f"tab {place + 1}", "", str(place + 1), show, menu="View")
        action.setWhatsThis(f"Show tab 1 to {_TABS}")
        action.setVisible(False)
        return action

    def _name_tabs(self) -> None:
        """Call the commands as the tabs are called; there may be fewer tabs."""
        stage = self.bench.stage
        for place, action in enumerate(self._tabs):
            action.setText(f"Show {stage.tabText(place)}")
            action.setVisible(place < stage.count())

    def ready(self) -> None:
        """Do what the keys do, and make room from now on, whenever tools come or go."""
        for command, button in self.buttons.items():
            action = self.bench.action(command)
            button.clicked.connect(action.trigger)
            explain(button, action)
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

    def _show_keys(self) -> None:
        KeySheet(self.bench.commands, self.bench.theme, self.bench).open()

    def _toggle_full(self) -> None:
        self.bench.set_full(not self.bench.full)

    def _toggle_menu(self) -> None:
        bar = self.bench.menuBar()
        bar.setVisible(bar.isHidden())

    def _toggle_screen(self) -> None:
        # Not `showNormal`: a window that filled the screen would then be larger than the screen.
        full = Qt.WindowState.WindowFullScreen
        self.bench.setWindowState(self.bench.windowState() ^ full)
