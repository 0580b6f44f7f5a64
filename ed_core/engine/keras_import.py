"""Import of Keras: a backend is named before it, our classes are registered after it."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_CLASSES = {
    "CentredBatchNormalization": "nn.layers",
    "ConstantWeights": "nn.layers",
    "Frozen": "nn.layers",
    "MirrorAverage": "nn.layers",
    "Noise": "nn.layers",
    "Objective": "nn.objective",
    "Sampling": "nn.layers",
    "ScaledSchedule": "nn.optimizers",
    "SharedNetwork": "nn.layers",
    "SubmodelAdam": "nn.optimizers",
}


def watch_keras(before: Callable[[], object]) -> None:
    """Let Keras find our classes in saved files, whether it is imported already or later.

    It looks classes up by name in a table that there is only once Keras is imported, and of other
    packages it imports nothing by itself.

    Args:
        before: called right before Keras is imported, where it is not yet.
    """
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "saving"):
        _announce(keras)
    elif not any(isinstance(finder, _KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KerasFinder(before))


class _KerasFinder(MetaPathFinder):
    """Finds Keras as Python does, with something to do before and after."""

    def __init__(self, before: Callable[[], object]) -> None:
        self._before = before

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where Keras lies, and None for all other modules."""
        spec = PathFinder.find_spec(name, path) if name == "keras" else None
        if spec is not None and spec.loader is not None:
            spec.loader = _KerasLoader(spec.loader, self)
        return spec

    def load(self, loader: Loader, module: ModuleType) -> None:
        """Import Keras, once."""
        self._before()
        # Keras shall look as if imported without this finder.
        module.__spec__.loader = module.__loader__ = loader  # type: ignore[union-attr]
        loader.exec_module(module)
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        _announce(module)


class _KerasLoader(Loader):
    """Keras' own loader, watched."""

    def __init__(self, loader: Loader, finder: _KerasFinder) -> None:
        self._loader, self._finder = loader, finder

    def exec_module(self, module: ModuleType) -> None:
        """Run the module."""
        self._finder.load(self._loader, module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


class _Later:
    """A class of ours in the table of Keras, imported when a saved file names it."""

    def __init__(self, home: str, name: str) -> None:
        self._home, self._name = home, name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(getattr(import_module(f"ed_core.{self._home}"), self._name), name)


def _announce(keras: Any) -> None:
    """Put our classes into the table of Keras, unless they are there."""
    custom_objects = keras.saving.get_custom_objects()
    for name, home in _CLASSES.items():
        custom_objects.setdefault(f"ed_core>{name}", _Later(home, name))
