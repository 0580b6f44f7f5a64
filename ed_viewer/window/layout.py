"""Keeps how the docks stand for each kind of model, and brings it back; one key resets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray

from ed_viewer.reading.messages import RunInfo
from ed_viewer.window.feature import Feature
from ed_viewer.window.view_history import ViewHistory

if TYPE_CHECKING:
    from ed_viewer.window.window import Window

_VERSION = 1  # of the docks: what an older window kept does not fit this one
_GEOMETRY = "geometry"
_LAYOUTS = "layouts"


class LayoutFeature(Feature):
    """A layout belongs to a model: a VAE's run wants other docks open than a U-Net's.

    What is broken, or was kept by another version, is ignored.
    """

    name = "layout"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._model = ""
        self._before: set[str] = set()  # the docks that were open when the run was opened
        window.session.opened.connect(self._on_opened)
        window.session.described.connect(self._on_described)

    def ready(self) -> None:
        """Bring the window's place and size back."""
        kept = self.window.settings.text(_GEOMETRY)
        if kept:
            self.window.restoreGeometry(_bytes(kept))

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the key does."""
        return {"reset": lambda _: self.reset()}

    def reset(self) -> None:
        """Put every dock where it was at first, and forget what was kept for this model."""
        window = self.window
        window.set_full(False)
        window.docks.reset()
        window.settings.drop(_LAYOUTS, self._model)
        window.layout_reset.emit()

    def end(self) -> None:
        """Keep the layout on show."""
        self._keep()
        self.window.settings.set(_text(self.window.saveGeometry()), _GEOMETRY)

    def _on_opened(self, _: object) -> None:
        self._before = self._open_docks()

    def _open_docks(self) -> set[str]:
        return {dock.objectName() for dock in self.window.docks if not dock.isHidden()}

    def _on_described(self, run: RunInfo) -> None:
        model = str(run.header.run.get("model") or "")
        if model == self._model:
            return
        self._keep()
        self._model = model
        kept = self.window.settings.text(_LAYOUTS, model)
        if kept and not self.window.full:
            with self.window.part(ViewHistory).unnoted("layout"):
                self._restore(kept)

    def _restore(self, kept: str) -> None:
        since = self._open_docks() - self._before  # while the first frame was waited for
        if self.window.restoreState(_bytes(kept), _VERSION):
            self.window.docks.show_fixed()
            for name in since:
                self.window.docks[name].show()

    def _keep(self) -> None:
        if self._model and not self.window.full:
            state = self.window.saveState(_VERSION)
            self.window.settings.set(_text(state), _LAYOUTS, self._model)


def _text(data: QByteArray) -> str:
    return bytes(data.toBase64().data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(QByteArray(text.encode("ascii", "ignore")))
