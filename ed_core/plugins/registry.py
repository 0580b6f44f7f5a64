"""Registries of plugins by name, and the import of plugin modules and files."""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from ed_core.errors import EdkitError, one_line, unknown

T = TypeVar("T")

BROKEN: dict[str, str] = {}
"""The plugin modules that could not be imported, each with its error in one line."""

PLUGIN_FILES: list[str] = []
"""The plugin files of the user's that were loaded, as absolute paths."""

_loaded: set[str] = set()
_sharing: dict[str, list["Registry[Any]"]] = {}  # a shared group to its registries


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from name to plugin, filled by decorators when plugin modules are imported.

    Looking a name up imports the plugins of the entry-point group first, once. Where packages have
    plugins of several kinds in one group, all registries that share it are filled at once, so that
    of two plugins of one name the same is taken whichever registry is asked first.

    Args:
        kind: what an entry is called in messages, such as "model".
        group: the entry-point group; see `load_plugins`.
        shared: the group of plugins of several kinds, imported last; "" for none.
        prepare: called before its plugins are imported.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        shared: str = "",
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        self.kind = kind
        self.groups = (group, shared)
        if shared:
            _sharing.setdefault(shared, []).append(self)
        self._prepare = prepare
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Register `entry`; raises EdkitError if the name is taken."""
        if name in self._entries:
            raise EdkitError(f"{self.kind} {name!r} is registered already: choose another name.")
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> T:
        self._load()
        if name not in self._entries:
            error = unknown(self.kind, name, self._entries)
            broken = "; ".join(f"{module} ({cause})" for module, cause in BROKEN.items())
            raise EdkitError(f"{error} Broken plugins: {broken}.") if broken else error
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._load()
        return len(self._entries)

    def _load(self) -> None:
        group, shared = self.groups
        if group in _loaded:
            return
        mixed = bool(shared and entry_points(group=shared))
        together = _sharing[shared] if mixed else [self]
        for registry in together:
            registry._prepare()
        for registry in together:
            load_plugins(registry.groups[0])
        if mixed:
            load_plugins(shared)

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Forget, at the end of the block, what was registered and loaded in it. For tests."""
        self._load()
        before, files = dict(self._entries), list(PLUGIN_FILES)
        try:
            yield
        finally:
            self._entries = before
            for path in set(PLUGIN_FILES) - set(files):
                sys.modules.pop(_module_name(Path(path)), None)
            PLUGIN_FILES[:] = files


def load_plugins(group: str) -> None:
    """Import every plugin of an entry-point group, once.

    An entry names a module, or a package, of which every module is then a plugin. One that fails
    to import (or calls `sys.exit`) is noted in `BROKEN`; the others go on.
    """
    if group in _loaded:
        return
    _loaded.add(group)
    for entry in entry_points(group=group):
        package = _import(entry.value)
        for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
            if not module.name.startswith("_"):
                _import(f"{entry.value}.{module.name}")


def is_convolutional(groups: Sequence[str], name: str) -> bool | None:
    """Tell whether a plugin package says of a model of its own that it has convolutions.

    It says so in two tuples of names, `CONVOLUTIONAL` and `DENSE`, of the package itself, which is
    imported before a backend is chosen, while its modules, which import Keras, are not. None where
    no package says anything.
    """
    for entry in (entry for group in groups for entry in entry_points(group=group)):
        try:
            spec = importlib.util.find_spec(entry.value)
        except Exception:  # a foreign package may fail in any way; `load_plugins` names it
            continue
        if spec is None or spec.submodule_search_locations is None:
            continue
        package = _import(entry.value)
        for constant, answer in (("CONVOLUTIONAL", True), ("DENSE", False)):
            if name in getattr(package, constant, ()):
                return answer
    return None


def load_plugin_file(path: str) -> None:
    """Import a plugin from a Python file of the user's; raises EdkitError that names the cause."""
    file = Path(path)
    if not file.is_file():
        raise EdkitError(f"plugin file {path!r} does not exist.")
    name = _module_name(file)
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(file.resolve()):
        return
    spec = importlib.util.spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise EdkitError(f"plugin file {path!r} is not a Python file: its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except EdkitError:
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise EdkitError(f"plugin file {path!r} failed: {one_line(error)}.") from error
    PLUGIN_FILES.append(str(file.resolve()))


def _module_name(file: Path) -> str:
    return f"edkit_plugin_{file.stem}"


def _import(module: str) -> object:
    if module in BROKEN:
        return None
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # a foreign plugin may fail in any way
        BROKEN[module] = one_line(error)
        return None
