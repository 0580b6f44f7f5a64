"""The desktop window: it reads recordings and nothing else. Names for panels load on first use."""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ed_viewer.panels.base import Panel as Panel
    from ed_viewer.panels.base import panel as panel
    from ed_viewer.panels.context import Source as Source
    from ed_viewer.reading.messages import Arrays as Arrays
    from ed_viewer.reading.messages import Past as Past
    from ed_viewer.style.theme import Theme as Theme
    from ed_viewer.widgets.plots.plot import make_plot as make_plot
    from ed_viewer.widgets.plots.plot import style_plot as style_plot

_HOMES = {
    "Arrays": "messages",
    "Panel": "panel",
    "Past": "messages",
    "Source": "source",
    "Theme": "theme",
    "make_plot": "widgets.plot",
    "panel": "panel",
    "style_plot": "widgets.plot",
}
__all__ = [*_HOMES]


class _Face(ModuleType):
    """The package; a module of a public name, such as `ed_viewer.panels.base`, does not hide it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOMES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face


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
