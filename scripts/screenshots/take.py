"""Render the window offscreen, every tab, in both themes and two sizes, to PNG.

    python scripts/screenshots/take.py OUT [RUN ...]           every tab of every run
    python scripts/screenshots/take.py OUT RUN ... --only latent classes    those tabs alone
    python scripts/screenshots/take.py OUT RUN --beside RUN2   of two runs, and of their difference
    python scripts/screenshots/take.py OUT RUN --scenes        first start, forms, sheets, odd runs
    python scripts/screenshots/take.py docs/images --small TAB=RUN ...    small ones for the pages

Without RUN, a synthetic recording is shown. The pictures of a run stand in OUT/MODEL-DATA.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from camera import Camera, Picture
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication
from scenes import shoot_scenes

from ed_viewer.compare.feature import CompareFeature
from ed_viewer.reading.run_names import model_and_data, name_and_time
from ed_viewer.testing import write_example
from ed_viewer.window.window import Window

SIZES = (QSize(1280, 720), QSize(1440, 900))
THEMES = ("light", "dark")


def main() -> int:
    """Parse the command line and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", nargs="?", default="docs/images", help="folder of the pictures")
    parser.add_argument("runs", nargs="*", help="run folders (default: a synthetic one)")
    parser.add_argument("--only", nargs="+", metavar="TAB", help="these tabs alone")
    parser.add_argument("--beside", metavar="RUN", help="a run to compare the first one with")
    parser.add_argument("--scenes", action="store_true", help="what is no tab: forms, sheets ...")
    parser.add_argument("--small", nargs="+", metavar="TAB=RUN", help="small ones of these tabs")
    parser.add_argument("--frame", type=int, default=-1, help="which frame (default: the last)")
    parser.add_argument("--theme", choices=THEMES, help="one theme alone")
    arguments = parser.parse_intermixed_args()
    camera = Camera(QApplication(sys.argv[:1]), arguments.frame)
    out, themes = Path(arguments.out), [arguments.theme] if arguments.theme else THEMES
    with tempfile.TemporaryDirectory() as folder:
        runs = [Path(run) for run in arguments.runs] or [write_example(Path(folder))]
        if arguments.small:
            for wish in arguments.small:
                _shoot_small(camera, *wish.split("=", 1), out, arguments.theme or "light")
        elif arguments.scenes:
            for theme in themes:
                shoot_scenes(camera, runs[0], out, theme, SIZES[0])
        else:
            wanted = {tab.lower() for tab in arguments.only or ()}
            for run, name in zip(runs, _names(runs), strict=True):
                for theme in themes:
                    _shoot_run(camera, run, theme, out / name, arguments.beside, wanted)
    return 0


def _names(runs: list[Path]) -> list[str]:
    """Return the folder of each run's pictures: without its date, if no other is called so."""
    names = [name_and_time(run.name)[0] for run in runs]
    return [n if names.count(n) == 1 else run.name for n, run in zip(names, runs, strict=True)]


def _shoot_run(
    camera: Camera, run: Path, theme: str, folder: Path, beside: str | None, wanted: set[str]
) -> None:
    with camera.window(theme, run) as window:
        if beside is None:
            _shoot_tabs(camera, window, folder, f"-{theme}", wanted)
            return
        part = window.findChild(CompareFeature)
        part.choose(Path(beside))
        pair = part.pair
        camera.wait(lambda: pair is not None and pair.beside.session.cursor.frame >= 0)
        for kind in ("compare", "difference"):
            part.set_signed(kind == "difference")
            _shoot_tabs(camera, window, folder, f"-{kind}-{theme}", wanted)


def _shoot_tabs(
    camera: Camera, window: Window, folder: Path, ending: str, wanted: set[str]
) -> None:
    for size in SIZES:
        for title in camera.tabs(window):
            if not wanted or title.lower() in wanted:
                path = folder / f"{_slug(title)}{ending}-{size.width()}.png"
                camera.shoot(window, Picture(path, size, title))


def _shoot_small(camera: Camera, tab: str, run: str, out: Path, theme: str) -> None:
    """Write OUT/MODEL-TAB.png of one tab, with few colours."""
    with camera.window(theme, Path(run)) as window:
        titles = camera.tabs(window)
        found = [title for title in titles if title.lower() == tab.lower()]
        if not found:
            raise SystemExit(f"{run} has no tab {tab!r}, but {', '.join(titles)}.")
        model = model_and_data(name_and_time(Path(run).name)[0])[0]
        name = f"{model}-{_slug(found[0])}" + ("" if theme == "light" else f"-{theme}")
        camera.shoot(window, Picture(out / f"{name}.png", SIZES[0], found[0], small=True))


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main())
