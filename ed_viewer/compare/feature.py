"""Two runs side by side: the same samples at the same point of their training, in one scale."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from ed_viewer.compare.comparison import Comparison
from ed_viewer.compare.second_run import RunPair, SecondRun
from ed_viewer.compare.tools import CompareTools
from ed_viewer.reading.messages import RunInfo, RunProgress
from ed_viewer.reading.run_names import absolute_path
from ed_viewer.session.alignment import WAYS, Alignment
from ed_viewer.widgets.controls import Toggle
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_ITSELF = "To compare: click A | B, or go to another run with the arrow keys and press C."
_COMPARE = "Compare with the selected run (on/off)"
_SIGNED = "Show B \N{MINUS SIGN} A instead of B"
_SCALES = "Shared scale / own scale"
_ALIGN = "Align runs by step, epoch or share of training"
_KEPT, _SCALE, _AT = "comparisons", "scale", "at"
_OWN, _ONE = "own", "one"


class CompareFeature(Feature):
    """Chooses run B, swaps it with run A, and ends what a comparison leaves behind."""

    name = "compare"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.pair: RunPair | None = None
        self.how = Alignment.STEP
        self._ending: list[SecondRun] = []
        self._path: Path | None = None  # of run A
        self._resume: int | None = None  # the frame that a run shows that changes places
        self.tool = self.tools = CompareTools(bench.theme)
        self.tools.compare.clicked.connect(self._toggle)
        self.tools.difference.toggled.connect(self._set_signed)
        self.tools.shared.toggled.connect(bench.stage.set_shared)
        self.tools.swapped.connect(self.swap)
        self.tools.chosen.connect(self._align_by)
        bench.runs.compared.connect(self.choose)
        bench.session.opened.connect(self._on_opened)
        bench.session.grew.connect(self._on_grew)
        self._make_commands()

    @property
    def comparison(self) -> Comparison | None:
        """The two runs, None while run A stands alone."""
        return self.pair.comparison if self.pair else None

    @property
    def settled(self) -> bool:
        """Whether run B is drawn, where there is one."""
        return self.pair is None or self.pair.settled

    def _make_commands(self) -> None:
        tools, use = self.tools, self._use
        for name, words, keys, act, same in (
            ("compare", _COMPARE, "C", self._choose_selected, tools.compare),
            ("swap", "Swap runs A and B", "B", self.swap, tools.swap),
            ("difference", _SIGNED, "D", partial(use, tools.difference.toggle), tools.difference),
            ("scale", _SCALES, "Y", partial(use, tools.shared.toggle), tools.shared),
            ("alignment", _ALIGN, "X", partial(use, tools.next_way), tools.ways),
        ):
            check = same if isinstance(same, Toggle) else None
            self.command(name, words, keys, act, menu="Compare", buttons=[same], check=check)

    def choose(self, path: Path) -> None:
        """Compare the open run with this one; if it is compared already, no longer."""
        path = absolute_path(path)
        if self.pair is not None and path == self.pair.beside.path:
            self.leave()
        elif self.bench.session.path is None:
            self.bench.open(path)
        elif path == self.bench.session.path:
            self.bench.status.show_message(_ITSELF)
        else:
            self._begin(path)

    def leave(self) -> None:
        """Show run A alone."""
        self._drop()
        self.tools.set_on(False)
        self.bench.runs.mark_beside(None)

    def swap(self) -> None:
        """Let A and B change places; each stays at the frame that it shows."""
        if self.pair is not None:
            self.bench.open(self.pair.beside.path)

    def set_signed(self, on: bool) -> None:
        """Show the difference B - A in the place of B, or B."""
        self.tools.difference.setChecked(on)

    def end(self) -> None:
        """End the threads of this and of earlier comparisons."""
        self._drop()
        for beside in self._ending:
            beside.stop()

    def _begin(self, path: Path) -> None:
        self._drop()
        self.pair = RunPair(self.bench, path, self.how, self.tools.difference.isChecked())
        self._path = self.bench.session.path
        self.tools.set_on(True)
        self.bench.runs.mark_beside(path)

    def _drop(self) -> None:
        for beside in self._ending:
            if beside.ended:
                beside.deleteLater()
        self._ending = [beside for beside in self._ending if not beside.ended]
        if self.pair is not None:
            self.pair.end()
            self._ending.append(self.pair.beside)
            self.pair.beside.setParent(self)
            self.pair.deleteLater()
            self.pair = None

    def _on_opened(self, path: Path) -> None:
        """Take another run A; if it is the run beside it, the two change places."""
        before, self._path = self._path, path
        self._resume = None
        if self.pair is None or path != self.pair.beside.path:
            return
        frame = self.pair.beside.session.cursor.frame
        self._resume = frame if frame >= 0 else None
        if before is None:
            self.leave()
        else:
            self._begin(before)

    def _on_grew(self, growth: RunProgress) -> None:
        if self._resume is not None and len(growth.steps) > self._resume:
            frame, self._resume = self._resume, None
            self.bench.session.scrub(frame)

    def _use(self, tool: Callable[[], None]) -> None:
        if self.pair is not None:
            tool()

    def _align_by(self, how: Alignment) -> None:
        self.how = how
        if self.pair is not None:
            self.pair.align_by(how)

    def _set_signed(self, on: bool) -> None:
        if self.pair is not None:
            self.pair.set_signed(on)

    def _choose_selected(self) -> None:
        """Compare with the run that is selected; with run A itself selected, compare no longer."""
        path = self.bench.runs.selected
        if self.pair is not None and path == self.bench.session.path:
            self.leave()
        elif path is not None:
            self.choose(path)

    def _toggle(self) -> None:
        """Compare with the selected run, or let one be chosen; or compare no longer."""
        self.tools.compare.setChecked(self.pair is not None)  # the answer may be none
        path = self.bench.runs.selected
        if self.pair is not None:
            self.leave()
        elif path is not None and path != self.bench.session.path:
            self.choose(path)
        else:
            self._ask()

    def _ask(self) -> None:
        """Let one of the other runs be chosen in a menu below the button."""
        button = self.tools.compare
        menu = QMenu(button)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for path in self.bench.runs.paths:
            if path != self.bench.session.path:
                menu.addAction(self.bench.runs.title(path).replace("&", "&&")).setData(path)
        if menu.isEmpty():
            menu.addAction("No other run to compare with").setEnabled(False)
        menu.triggered.connect(lambda action: self.choose(action.data()))
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))


class CompareSettings(Feature):
    """What is kept is that of the model of run A; anything else counts as nothing.

    Args:
        bench: what it works with.
        tools: how two runs are compared.
    """

    name = "compare_keeper"

    def __init__(self, bench: Workbench, tools: CompareTools) -> None:
        super().__init__(bench)
        self._model = ""
        self._tools = tools
        tools.shared.toggled.connect(self._keep_scale)
        tools.chosen.connect(self._keep_way)
        bench.session.described.connect(self._on_described)
        bench.layout_reset.connect(self.reset)

    def reset(self) -> None:
        """Compare as at first, and forget what was kept for this model."""
        self._restore("", "")
        self.bench.settings.drop(_KEPT, self._model)

    def _on_described(self, run: RunInfo) -> None:
        model = str(run.header.run.get("model") or "")
        if model != self._model:
            self._model = model
            settings = self.bench.settings
            self._restore(*(settings.text(_KEPT, model, name) for name in (_SCALE, _AT)))

    def _restore(self, scale: str, at: str) -> None:
        self._tools.shared.setChecked(scale != _OWN)
        known = {how.value: how for how in WAYS}
        self._tools.choose_way(known.get(at, Alignment.STEP))

    def _keep_scale(self, shared: bool) -> None:
        self._set(_ONE if shared else _OWN, _SCALE)

    def _keep_way(self, how: Alignment) -> None:
        self._set(how.value, _AT)

    def _set(self, value: str, name: str) -> None:
        if self._model:
            self.bench.settings.set(value, _KEPT, self._model, name)
