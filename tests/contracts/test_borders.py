import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.viewer

VIEWER = Path(__file__).parents[2] / "ed_viewer"


def test_the_window_loads_no_keras_and_no_backend() -> None:
    code = (
        "import sys, ed_viewer.app; p = sys.modules[ed_viewer.Panel.__module__]; list(p.PANELS);"
        "print([m for m in ('keras', 'tensorflow', 'torch', 'jax', 'sklearn', 'matplotlib')"
        " if m in sys.modules], sorted(p.PANELS))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, kinds = done.stdout.split("] [")
    assert loaded == "["
    for kind in ("activations", "fallback", "latent_codes", "predictions/classes", "samples"):
        assert f"'{kind}'" in kinds


def test_a_panel_that_cannot_be_imported_is_named_as_the_window_opens() -> None:
    code = (
        "import importlib.metadata as metadata, ed_core.plugins.registry as registry\n"
        "from ed_viewer.app import make_window\n"
        "from PySide6.QtWidgets import QApplication\n"
        "bad = metadata.EntryPoint('bad', 'theirs', 'edkit.panels')\n"
        "known = registry.entry_points\n"
        "registry.entry_points = lambda group: [*known(group=group), bad]\n"
        "window = make_window(QApplication([]), ['/no/such/run'])\n"
        "print(window.status.message)\n"
        "window.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "theirs: ModuleNotFoundError: No module named 'theirs'" in done.stdout


def test_colours_stand_in_one_file() -> None:
    import re

    named = [
        file.name
        for file in VIEWER.rglob("*.py")
        if file.name != "palette.py" and re.search(r"#[0-9a-fA-F]{6}\b", file.read_text())
    ]
    assert named == []


def test_no_file_of_the_viewer_opens_hdf5() -> None:
    users = [f.name for f in VIEWER.rglob("*.py") if "import h5py" in f.read_text()]
    assert users == []


def test_the_names_for_panel_authors_are_there_whatever_was_imported_first() -> None:
    code = (
        "import sys, ed_viewer\n"
        "assert not any(name.startswith('PySide6') for name in sys.modules)\n"
        "import ed_viewer.app\n"
        "from ed_viewer import *\n"
        "print(*(type(globals()[name]).__name__ for name in ed_viewer.__all__))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "module" not in done.stdout
