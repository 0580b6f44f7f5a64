"""The script that renders the window."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import patience

from ed_viewer.style.palette import LIGHT, class_table

pytestmark = pytest.mark.viewer

ROOT = Path(__file__).parents[2]


def shoot(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "screenshots" / "take.py"), *arguments]
    path = {"PYTHONPATH": str(ROOT), **os.environ}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=patience.OF_A_PROCESS, env=path
    )


def test_a_tab_is_taken_in_both_themes_and_two_sizes(tmp_path: Path, finished: Path) -> None:
    done = shoot(str(tmp_path), str(finished), "--only", "classes")
    assert done.returncode == 0, done.stderr
    made = sorted((tmp_path / "conv_vae-example").iterdir())
    assert [path.name for path in made] == [
        f"classes-{theme}-{width}.png" for theme in ("dark", "light") for width in (1280, 1440)
    ]
    sizes, corners = [], []
    for path in made:
        with Image.open(path) as image:
            sizes.append(image.size)
            corners.append(image.convert("L").getpixel((2, image.height - 2)))
            assert len(image.convert("RGB").getcolors(2**24)) > 50  # something is drawn
    assert sizes == [(1280, 720), (1440, 900)] * 2
    assert max(corners[:2]) < 64 < 192 < min(corners[2:])


def test_small_pictures_are_small_and_a_tab_that_is_not_there_is_named(
    tmp_path: Path, finished: Path
) -> None:
    done = shoot(str(tmp_path), "--small", f"values={finished}")
    assert done.returncode == 0, done.stderr
    made = tmp_path / "conv_vae-values.png"
    assert made.stat().st_size < 150_000
    with Image.open(made) as image:
        shown = {colour for _, colour in image.convert("RGB").getcolors(2**24)}
    wanted = class_table(LIGHT.classes).tolist()  # of points, a few pixels each
    apart = [min(np.abs(np.array(colour) - other).max() for other in shown) for colour in wanted]
    assert max(apart) <= 8
    done = shoot(str(tmp_path), "--small", f"nothing={finished}")
    assert done.returncode == 1
    assert "has no tab 'nothing', but Overview, Reconstruct" in done.stderr
