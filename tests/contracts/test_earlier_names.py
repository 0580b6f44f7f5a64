"""Names that had another place until 0.1: they go on working for a version, and say the new one."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pkgutil import iter_modules

import pytest
from support import patience

import ed_plugins.datasets
import ed_plugins.models

LATER = {"defect_detector", "table"}  # they never had another place
PLACES = {
    module.name: f"{room.__name__}.{module.name}"
    for room in (ed_plugins.models, ed_plugins.datasets)
    for module in iter_modules(room.__path__)
    if not module.name.startswith("_") and module.name not in LATER
}


def test_every_plugin_of_before_is_known() -> None:
    assert len(PLACES) == 27


@pytest.mark.backend
@pytest.mark.parametrize("name", PLACES)
def test_the_earlier_name_of_a_plugin_means_the_same(name: str) -> None:
    sys.modules.pop(f"ed_plugins.{name}", None)  # whoever imported it first was warned
    with pytest.warns(FutureWarning, match=f"ed_plugins.{name} is {PLACES[name]} now: import that"):
        earlier = import_module(f"ed_plugins.{name}")
    moved = vars(import_module(PLACES[name]))
    public = {key: value for key, value in moved.items() if not key.startswith("_")}
    assert public
    assert all(getattr(earlier, key) is value for key, value in public.items())


@pytest.mark.parametrize("name", ["vea", "_heads", "models.vea"])
def test_an_unknown_plugin_is_no_module(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=f"No module named 'ed_plugins.{name}'"):
        import_module(f"ed_plugins.{name}")


@pytest.mark.parametrize(
    ("module", "argument", "answer"),
    [("command", "--version", version("edkit")), ("decoding", "--help", "usage: ")],
)
def test_the_earlier_name_of_a_program_goes_on(module: str, argument: str, answer: str) -> None:
    command = [sys.executable, "-m", f"ed_core.{module}", argument]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert done.returncode == 0, done.stderr
    assert answer in done.stdout
    assert f"ed_core.{module} is ed_core." in done.stderr
    assert "now: use that, the old name goes with the next version." in done.stderr
