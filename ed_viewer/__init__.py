"""The desktop window: it reads recordings and nothing else. Names for panels load on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ed_viewer.panels.base import Panel as Panel
    from ed_viewer.panels.base import panel as panel
    from ed_viewer.panels.context import PanelContext as PanelContext
    from ed_viewer.reading.messages import Arrays as Arrays
    from ed_viewer.reading.messages import FrameHistory as FrameHistory
    from ed_viewer.style.theme import Theme as Theme
    from ed_viewer.widgets.plots.plot import make_plot as make_plot
    from ed_viewer.widgets.plots.plot import style_plot as style_plot

_HOMES = {
    "Arrays": "reading.messages",
    "FrameHistory": "reading.messages",
    "Panel": "panels.base",
    "PanelContext": "panels.context",
    "Theme": "style.theme",
    "make_plot": "widgets.plots.plot",
    "panel": "panels.base",
    "style_plot": "widgets.plots.plot",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Import a public name on its first use; Qt comes with it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ed_viewer' has no attribute {name!r}")
    value = getattr(import_module(f"ed_viewer.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
