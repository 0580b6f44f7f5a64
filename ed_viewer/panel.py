"""What shows a probe: a panel, registered by the probe's kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ed_core.recording import ProbeInfo
from ed_core.registry import BROKEN, Registry
from ed_viewer.decoder import Decoder
from ed_viewer.messages import Arrays
from ed_viewer.theme import Theme
from ed_viewer.widgets.caption import Caption
from ed_viewer.widgets.card import Card
from ed_viewer.widgets.text import plain, titled


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What a panel knows before the first frame.

    Attributes:
        probe: the probe that it shows: name, kind, arrays, options.
        fields: facts of each field of the reference batch.
        reference: the fixed batch that the probe looks at, field to (samples, ...).
        theme: colours and type.
        memory: shared by all panels of this probe: what they have seen, such as levels.
        decoder: decodes and encodes for the panel, in a process of its own; None where the panel
            is one of many.
    """

    probe: ProbeInfo
    fields: Mapping[str, Mapping[str, Any]]
    reference: Mapping[str, np.ndarray]
    theme: Theme
    memory: dict[str, Any] = field(default_factory=dict)
    decoder: Decoder | None = None

    def classes(self, name: str) -> tuple[str, ...]:
        """Return the class names of a field, () if it is not a class field."""
        names = self.fields.get(name, {}).get("classes") or ()
        return tuple(str(n) for n in names) if isinstance(names, list | tuple) else ()

    def class_names(self, samples: int) -> tuple[str, ...]:
        """Return the class of each of the first samples, () if the batch has no classes."""
        for name, facts in self.fields.items():
            if facts.get("kind") == "class" and name in self.reference:
                labels, classes = self.reference[name][:samples], self.classes(name)
                if labels.ndim == 1:
                    return tuple(_name_of(classes, label) for label in labels)
        return ()


class Panel(Card):
    """Base of all panels: a card with a heading, a caption, tools and a body.

    A subclass builds its widgets in `build` and draws in `show_frame`; both may raise, then the
    reason stands in the panel. It never sees a file or a thread.

    Signals:
        hovered: what is under the mouse, in words.
    """

    tab = ""
    """Panels of one tab name share a tab; "" is a tab of its own."""

    heading = ""
    """What stands above the panel; "" is the probe's name."""

    share = 1
    """How wide it is beside the others of its tab."""

    hovered = Signal(str)

    def __init__(self, source: Source, parent: QWidget | None = None) -> None:
        super().__init__(source.theme, parent)
        self.source = source
        self.setAccessibleName(self.heading or source.probe.name)
        self._title = plain(QLabel(self.heading or titled(source.probe.name)))
        self._caption = Caption(source.theme)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self._title)
        head.addLayout(self.tools)
        head.addWidget(self._caption, 1)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(12, 6, 12, 12)
        self.body.setSpacing(8)
        self.body.addLayout(head)
        self.build()
        self.restyle()

    def build(self) -> None:
        """Make the widgets of the body."""

    def show_frame(self, arrays: Arrays) -> None:
        """Draw a frame: the probe's arrays by name."""
        raise NotImplementedError

    def restyle(self) -> None:
        """Take colours and type from the theme; extended by panels that draw with pyqtgraph."""
        self._title.setFont(self.source.theme.font(bold=True))
        # As high as a combo box, so that headings with and without tools stand on one line.
        self._title.setFixedHeight(self._title.fontMetrics().height() + 12)

    def set_caption(self, text: str) -> None:
        """Say one thing about the frame, at the right of the heading."""
        self._caption.say(text)


PANELS: Registry[type[Panel]] = Registry("panel", "edkit.panels")
"""Probe kind to panel."""

FALLBACK = "fallback"


def panel(kind: str) -> Callable[[type[Panel]], type[Panel]]:
    """Register a panel class for a kind of probe; `FALLBACK` shows what nobody registered."""

    def register(cls: type[Panel]) -> type[Panel]:
        return PANELS.add(kind, cls)

    return register


def panel_class(kind: str) -> type[Panel]:
    """Return the panel for a kind of probe, or the fallback."""
    return PANELS[kind] if kind in PANELS else PANELS[FALLBACK]


def broken_panels() -> str:
    """Return which panel modules could not be imported, in one line, or ""."""
    return "; ".join(f"{name}: {why}" for name, why in BROKEN.items() if "panels" in name)


def _name_of(classes: tuple[str, ...], label: float) -> str:
    index = int(label) if np.isfinite(label) else -1
    return classes[index] if 0 <= index < len(classes) else str(label)
