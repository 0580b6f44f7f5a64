"""Keeps for each kind of model how two runs are compared: at what, and in one scale or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ed_viewer.alignment import WAYS, Alignment
from ed_viewer.compare import Compare
from ed_viewer.messages import RunInfo
from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window

_KEPT, _SCALE, _AT = "comparisons", "scale", "at"
_OWN, _ONE = "own", "one"


class CompareKeeper(Part):
    """What is kept is that of the model of run A; anything else counts as nothing."""

    name = "compare_keeper"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._model = ""
        window.session.described.connect(self._on_described)

    def ready(self) -> None:
        """Know the tools of the comparison, which another part has."""
        self._tools = self.window.part(Compare).tools
        self._tools.shared.toggled.connect(self._keep_scale)
        self._tools.chosen.connect(self._keep_way)

    def reset(self) -> None:
        """Compare as at first, and forget what was kept for this model."""
        self._restore("", "")
        self.window.settings.drop(_KEPT, self._model)

    def _on_described(self, run: RunInfo) -> None:
        model = str(run.header.run.get("model") or "")
        if model != self._model:
            self._model = model
            settings = self.window.settings
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
            self.window.settings.set(value, _KEPT, self._model, name)
