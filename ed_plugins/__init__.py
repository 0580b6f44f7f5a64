"""The built-in plugins: models and data sets, one module each."""

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


class _EarlierPlaces(MetaPathFinder, Loader):
    """Finder that maps `ed_plugins.NAME`, the path until 0.1, to `models` or `datasets`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of an alias for a module that moved, or None."""
        package, _, plugin = name.rpartition(".")
        if package != __name__ or plugin.startswith("_"):
            return None
        for room in ("models", "datasets"):
            if plugin != room and find_spec(f"{__name__}.{room}.{plugin}"):
                return ModuleSpec(name, self, origin=f"{__name__}.{room}.{plugin}")
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Copy the names of the module that moved, and warn with its new path."""
        place = str(module.__spec__ and module.__spec__.origin)
        warnings.warn(
            f"{module.__name__} is {place} now: import that, the old name goes with the next "
            "version.",
            FutureWarning,
            stacklevel=2,
        )
        moved = vars(import_module(place))
        vars(module).update({key: moved[key] for key in moved if not key.startswith("__")})


sys.meta_path.append(_EarlierPlaces())
