"""Keeps how the docks stand for each kind of model, and brings it back; one key resets it."""

from PySide6.QtCore import QByteArray, QTimer, Signal

from ed_viewer.reading.messages import RunInfo
from ed_viewer.window.feature import Feature
from ed_viewer.window.view_history import ViewHistory
from ed_viewer.window.workbench import Aspect, Workbench

_VERSION = 1  # of the docks: what an older window kept does not fit this one
_GEOMETRY = "geometry"
_LAYOUTS = "layouts"


_Places = tuple[tuple[tuple[object, ...], ...], QByteArray]
"""Which docks are where, and what brings them back with their sizes."""


class LayoutFeature(Feature):
    """A layout belongs to a model: a VAE's run wants other docks open than a U-Net's.

    What is broken, or was kept by another version, is ignored.

    Args:
        bench: what it works with.
        history: is told that it is nobody's doing when a layout is brought back.

    Signals:
        changed: docks stand elsewhere, or have come or gone.
    """

    name = "layout"
    changed = Signal()

    def __init__(self, bench: Workbench, history: ViewHistory) -> None:
        super().__init__(bench)
        self._history = history
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.changed)
        bench.aspects.append(
            Aspect("layout", self._look, self._bring_back, self.changed, same=_same_places)
        )
        self._model = ""
        self._before: set[str] = set()  # the docks that were open when the run was opened
        bench.session.opened.connect(self._on_opened)
        bench.session.described.connect(self._on_described)
        self.command("reset", "Reset the layout", "Ctrl+0", self.reset, menu="View")

    def ready(self) -> None:
        """Bring the window's place and size back, and know from now on where the docks are."""
        for dock in self.bench.docks:
            dock.visibilityChanged.connect(self._on_docks)
            dock.dockLocationChanged.connect(self._on_docks)
        kept = self.bench.settings.text(_GEOMETRY)
        if kept:
            self.bench.restoreGeometry(_bytes(kept))

    def reset(self) -> None:
        """Put every dock where it was at first, and forget what was kept for this model."""
        bench = self.bench
        bench.set_full(False)
        bench.docks.reset()
        bench.settings.drop(_LAYOUTS, self._model)
        bench.layout_reset.emit()

    def end(self) -> None:
        """Keep the layout on show."""
        self._later.stop()
        self._keep()
        self.bench.settings.set(_text(self.bench.saveGeometry()), _GEOMETRY)

    def _look(self) -> _Places:
        return self.bench.docks.arrangement(), self.bench.saveState()

    def _bring_back(self, places: _Places) -> None:
        self.bench.restoreState(places[1])

    def _on_docks(self, _: object) -> None:
        if not self.bench.full:
            self._later.start(0)

    def _on_opened(self, _: object) -> None:
        self._before = self._open_docks()

    def _open_docks(self) -> set[str]:
        return {dock.objectName() for dock in self.bench.docks if not dock.isHidden()}

    def _on_described(self, run: RunInfo) -> None:
        model = str(run.header.run.get("model") or "")
        if model == self._model:
            return
        self._keep()
        self._model = model
        kept = self.bench.settings.text(_LAYOUTS, model)
        if kept and not self.bench.full:
            with self._history.unnoted("layout"):
                self._restore(kept)

    def _restore(self, kept: str) -> None:
        since = self._open_docks() - self._before  # while the first frame was waited for
        if self.bench.restoreState(_bytes(kept), _VERSION):
            self.bench.docks.show_fixed()
            for name in since:
                self.bench.docks[name].show()

    def _keep(self) -> None:
        if self._model and not self.bench.full:
            state = self.bench.saveState(_VERSION)
            self.bench.settings.set(_text(state), _LAYOUTS, self._model)


def _same_places(one: _Places, other: _Places) -> bool:
    return one[0] == other[0]


def _text(data: QByteArray) -> str:
    return bytes(data.toBase64().data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(QByteArray(text.encode("ascii", "ignore")))
