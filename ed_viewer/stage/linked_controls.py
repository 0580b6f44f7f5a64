"""Linked choices of two runs' panels: a layer or a sample chosen in one is chosen in the other."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractButton, QComboBox, QSlider, QSpinBox, QWidget

from ed_viewer.widgets.confusion_matrix import ConfusionMatrix
from ed_viewer.widgets.plots.legend import Legend
from ed_viewer.widgets.tiles.pickable import PickableTiles, Sheet
from ed_viewer.widgets.tiles.tiles import Tiles

_Picking = PickableTiles | ConfusionMatrix


def link(one: QWidget, other: QWidget) -> None:
    """Let the choices of two panels of one class follow each other; at first, those of `one` hold.

    Boxes, sliders, buttons that stay down, tiles that are clicked or picked, cells of a matrix and
    legends belong together by their order. The links end with `other`.
    """
    if type(one) is not type(other):
        return
    for kind, (signal, copy, start) in _KINDS.items():
        ours: list[Any] = one.findChildren(kind)
        theirs: list[Any] = other.findChildren(kind)
        for mine, yours in zip(ours, theirs, strict=False):
            start(mine, yours)
            there = _Follower(copy, mine, yours, other)
            back = _Follower(copy, yours, mine, other)
            there.back, back.back = back, there
            getattr(mine, signal).connect(there.follow)
            getattr(yours, signal).connect(back.follow)


class _Follower(QObject):
    """Copies one way, unless the change came from the other way."""

    def __init__(self, copy: Callable[..., None], source: Any, target: Any, parent: QObject):
        super().__init__(parent)  # its connections end when the parent is destroyed
        self._copy, self._source, self._target = copy, source, target
        self.back: _Follower | None = None
        self.busy = False

    def follow(self, *said: Any) -> None:
        if self.back is None or self.back.busy:
            return
        self.busy = True
        try:
            self._copy(self._source, self._target, *said)
        finally:
            self.busy = False


def _same_text(source: QComboBox, target: QComboBox, *_: Any) -> None:
    target.setCurrentText(source.currentText())  # one that it has not is passed over


def _same_value(source: QSlider | QSpinBox, target: QSlider | QSpinBox, *_: Any) -> None:
    target.setValue(source.value())


def _same_check(source: QAbstractButton, target: QAbstractButton, *_: Any) -> None:
    if source.isCheckable() and target.isCheckable():
        target.setChecked(source.isChecked())


def _same_classes(source: Legend, target: Legend, *_: Any) -> None:
    target.set_hidden(source.hidden)


def _click(_: Tiles, target: Tiles, row: int, column: int) -> None:
    target.clicked.emit(row, column)


def _click_selected(source: Tiles, target: Tiles) -> None:
    if source.shown.selected is not None:
        target.clicked.emit(*source.shown.selected)


def _same_pick(source: _Picking, target: _Picking) -> None:
    pick = source.pick
    target.choose(pick if pick is not None and target.has(pick) else None)


def _first_pick(source: _Picking, target: _Picking) -> None:
    # For what is drawn later; but of a mosaic it depends on what is drawn which tile that is.
    if not isinstance(source, PickableTiles) or isinstance(source, Sheet):
        target.pick = source.pick


_KINDS: dict[type, tuple[str, Callable[..., None], Callable[..., None]]] = {
    QComboBox: ("currentTextChanged", _same_text, _same_text),
    QSlider: ("valueChanged", _same_value, _same_value),
    QSpinBox: ("valueChanged", _same_value, _same_value),
    QAbstractButton: ("toggled", _same_check, _same_check),
    Legend: ("toggled", _same_classes, _same_classes),
    Tiles: ("clicked", _click, _click_selected),
    PickableTiles: ("picked", _same_pick, _first_pick),
    ConfusionMatrix: ("picked", _same_pick, _first_pick),
}
"""The signal of a choice, how it is copied, and how at first."""
