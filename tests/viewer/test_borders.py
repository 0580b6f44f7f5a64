import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.viewer

VIEWER = Path(__file__).parents[2] / "ed_viewer"


def test_the_window_loads_no_keras_and_no_backend() -> None:
    code = (
        "import sys, ed_viewer.app, ed_viewer.panel as p; list(p.PANELS);"
        "print([m for m in ('keras', 'tensorflow', 'torch', 'jax', 'sklearn', 'matplotlib')"
        " if m in sys.modules], sorted(p.PANELS))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, kinds = done.stdout.split("] [")
    assert loaded == "["
    for kind in ("activations", "fallback", "latent_codes", "predictions/classes", "samples"):
        assert f"'{kind}'" in kinds


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
