"""Palettes: every colour of the window, light and dark. No other file names one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from PySide6.QtGui import QColor, QPalette

from ed_core.palette import CLASSES, blend, rgb
from ed_core.palette import class_colour as palette_colour


@dataclass(frozen=True, slots=True)
class Palette:
    """One theme; every colour is `#rrggbb`.

    Attributes:
        window, card, line: the background, the surface of a panel, and its border.
        field: the surface of fields and buttons.
        text, muted: of body type and of captions; at least 7:1 and 4.5:1 on `card`.
        accent, on_accent: of the cursor, selections and the focus ring, and type on it.
        live, done, failed: the states of a run.
        warning, on_warning: the banner.
        classes: ten class colours, Okabe & Ito (2008) and two more, adjusted to the background.
        below, zero, above: ends and middle of the scale of signed differences.
    """

    name: str
    window: str
    card: str
    line: str
    field: str
    text: str
    muted: str
    accent: str
    on_accent: str
    live: str
    done: str
    failed: str
    warning: str
    on_warning: str
    classes: tuple[str, ...]
    below: str
    zero: str
    above: str


NOT_FINITE = ("#ff00ff", "#1a1e24")
"""Stripes of pixels that are NaN or infinite, on either theme; no table is near."""


LIGHT = Palette(
    name="light",
    window="#eef0f3",
    card="#ffffff",
    line="#d3d8de",
    field="#ffffff",
    text="#1a1e24",
    muted="#59636e",
    accent="#0a60c2",
    on_accent="#ffffff",
    live="#13803d",
    done="#7b8794",
    failed="#c2410c",
    warning="#fff0c8",
    on_warning="#5f3d00",
    classes=CLASSES,
    below="#0a5fb4",
    zero="#f4f5f7",
    above="#c24a00",
)

DARK = Palette(
    name="dark",
    window="#17191c",
    card="#202327",
    line="#383d44",
    field="#2e333a",
    text="#eceef1",
    muted="#a3acb7",
    accent="#58a6ff",
    on_accent="#0c1117",
    live="#3fc46b",
    done="#8b949e",
    failed="#ff8a4c",
    warning="#473a13",
    on_warning="#ffe3a3",
    classes=(
        "#4aa3df",
        "#ee7b30",
        "#21c197",
        "#dd93bb",
        "#8fd0f5",
        "#efb118",
        "#eceef1",
        "#f0e442",
        "#b292ee",
        "#9aa2ab",
    ),
    below="#4aa3ff",
    zero="#17191c",
    above="#ff8f3d",
)

SYMBOLS = ("o", "t1", "s", "d", "o", "t1", "s", "d", "o", "t1")
"""A marker a class, so that no two classes differ by their colour alone."""

_ACTIVATION = (
    "#07060f",
    "#1f1147",
    "#4f127b",
    "#81257c",
    "#b5367a",
    "#e55063",
    "#fb8761",
    "#fec287",
    "#fcfdbf",
)
_VALUES = (
    "#00224e",
    "#123570",
    "#3b496c",
    "#575d6d",
    "#707173",
    "#8a8678",
    "#a59c74",
    "#c3b369",
    "#e1cc55",
    "#fee838",
)
_BRIGHT = 140.0  # luma, of 255, from which type on a colour is dark


NO_CLASS, NOT_DRAWN = -1, -2
"""In the place of a class: of a sample without a label, and of one that is hidden."""


def class_symbol(index: int) -> str:
    """Return the marker of a class, or of what has none."""
    return SYMBOLS[index % len(SYMBOLS)] if index >= 0 else "o"


def class_colour(palette: Palette, index: int, own: Sequence[str] = ()) -> str:
    """Return the colour of a class: its own where the data have one, else that of the palette.

    Below 0 there is no class, and the colour is a quiet grey.
    """
    if index < 0:
        return blend(palette.done, palette.card, 0.45)
    return palette_colour(index, own, palette.classes)


def ink_on(colour: str) -> str:
    """Return the colour of type on a surface: dark on bright, bright on dark."""
    red, green, blue = rgb(colour)
    return LIGHT.text if 0.299 * red + 0.587 * green + 0.114 * blue > _BRIGHT else LIGHT.card


def class_table(colours: Sequence[str]) -> np.ndarray:
    """Return (classes, 3) uint8 of colours, red first."""
    return np.array([rgb(colour) for colour in colours], np.uint8).reshape(-1, 3)


class Side(Enum):
    """One of two runs that are compared; A comes first, and leads."""

    A = "A"
    B = "B"

    def __lt__(self, other: "Side") -> bool:
        return self.value < other.value

    @property
    def other(self) -> "Side":
        """The run beside it."""
        return Side.B if self is Side.A else Side.A


def run_colour(palette: Palette, side: Side) -> QColor:
    """Return the colour of a run while two are compared."""
    return QColor(palette.classes[0 if side is Side.A else 1])


@lru_cache
def activation_table() -> np.ndarray:
    """Return (256, 3) uint8: dark to light, even in lightness (after "magma")."""
    return _ramp(_ACTIVATION)


@lru_cache
def value_table() -> np.ndarray:
    """Return (256, 3) uint8 of heights and the like, read alike by the colour-blind ("cividis")."""
    return _ramp(_VALUES)


@lru_cache
def grey_table() -> np.ndarray:
    """Return (256, 3) uint8: black to white."""
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


@lru_cache
def difference_table(palette: Palette) -> np.ndarray:
    """Return (256, 3) uint8: below, zero (the colour of the page), above."""
    return _ramp((palette.below, palette.zero, palette.above))


def qt_palette(palette: Palette) -> QPalette:
    """Return the Qt palette of a theme, for the Fusion style."""
    roles = {
        QPalette.ColorRole.Window: palette.window,
        QPalette.ColorRole.WindowText: palette.text,
        QPalette.ColorRole.Base: palette.field,
        QPalette.ColorRole.AlternateBase: palette.window,
        QPalette.ColorRole.Text: palette.text,
        QPalette.ColorRole.Button: palette.field,
        QPalette.ColorRole.ButtonText: palette.text,
        QPalette.ColorRole.BrightText: palette.text,
        QPalette.ColorRole.PlaceholderText: palette.muted,
        QPalette.ColorRole.ToolTipBase: palette.card,
        QPalette.ColorRole.ToolTipText: palette.text,
        QPalette.ColorRole.Highlight: palette.accent,
        QPalette.ColorRole.HighlightedText: palette.on_accent,
        QPalette.ColorRole.Accent: palette.accent,
        QPalette.ColorRole.Mid: palette.line,
        QPalette.ColorRole.Link: palette.accent,
    }
    result = QPalette(QColor(palette.field), QColor(palette.window))
    for role, colour in roles.items():
        result.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, QColor(palette.done))
    return result


def _ramp(stops: tuple[str, ...]) -> np.ndarray:
    colours = np.array([rgb(stop) for stop in stops], np.float64)
    at = np.linspace(0, len(stops) - 1, 256)
    columns = [np.interp(at, np.arange(len(stops)), channel) for channel in colours.T]
    return np.stack(columns, axis=1).round().astype(np.uint8)


def whole_classes(labels: np.ndarray) -> np.ndarray:
    """Return labels of any type, bytes as well, as whole numbers: NaN and all below 0 have none."""
    numbers = np.nan_to_num(np.asarray(labels, "float64"), nan=NO_CLASS)
    return np.maximum(numbers, NO_CLASS).astype(np.int64)
