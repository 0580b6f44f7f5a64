"""Pictures of what is no tab: the first start, forms and sheets, odd runs, the lecture mode."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from camera import Camera, Picture
from PySide6.QtCore import QSize

from ed_core.recording import ArrayInfo, Header, ProbeInfo, RecordingWriter, RunFolder
from ed_viewer.new_run.feature import NewRunFeature
from ed_viewer.testing import Example, write_example
from ed_viewer.window.window import Window

_LONG = "a class whose name is far longer than any label has room for"


def shoot_scenes(camera: Camera, run: Path, out: Path, theme: str, size: QSize) -> None:
    """Write a picture of each."""

    def shoot(window: Window, name: str, tab: str = "") -> None:
        camera.shoot(window, Picture(out / f"{name}-{theme}.png", size, tab))

    with tempfile.TemporaryDirectory() as folder:
        _shoot_forms(camera, run, theme, shoot)
        root = Path(folder)
        with camera.window(theme, root=str(root / "none")) as window:
            shoot(window, "first-start")
        for name, made in _odd_runs(root).items():
            with camera.window(theme, made, root=str(root)) as window:
                camera.rest()
                shoot(window, name)
                for tab in camera.tabs(window)[1:]:
                    shoot(window, f"{name}-{tab.lower()}", tab)


def _shoot_forms(
    camera: Camera, run: Path, theme: str, shoot: Callable[[Window, str], None]
) -> None:
    with camera.window(theme, run) as window:
        for name in ("palette", "help", "new", "export"):
            window.act(name)
            if name == "new":
                camera.wait(lambda: _has_form(window.findChild(NewRunFeature)))
            shoot(window, f"form-{name}")
            for child in window.children():
                if child.isWidgetType() and child.isWindow():
                    child.close()
        window.act("steer")
        shoot(window, "steer")
        window.act("steer")
        window.set_problem("scene", f"{run.name}/recording/0000.h5 is damaged from frame 12 on.")
        shoot(window, "banner")
        window.set_problem("scene", "")
        window.set_full(True)
        shoot(window, "lecture")
        window.set_full(False)


def _has_form(part: NewRunFeature) -> bool:
    return part.dialog is not None and part.dialog.form is not None


def _odd_runs(root: Path) -> dict[str, Path]:
    """Return runs that few have: without frames, with one, with one class, many, or long names."""
    many = tuple(f"class {n + 1}" for n in range(100))
    return {
        "no-frame": _write(root, "nothing", ("one", "two"), 0),
        "one-frame": write_example(root, Example(frames=1), 1),
        "one-class": _write(root, "one", ("all",), 3),
        "many-classes": _write(root, "many", many, 3),
        "long-names": _write(root, "long", tuple(f"{_LONG} {n}" for n in range(12)), 3),
    }


def _write(root: Path, name: str, classes: tuple[str, ...], frames: int) -> Path:
    """Write a run of a classifier and its codes."""
    random = np.random.default_rng(3)
    labels = np.arange(400) % len(classes)
    reference = {"image": random.random((400, 16, 16, 1), "f4"), "label": labels}
    fields = {
        "image": {"kind": "image", "shape": [16, 16, 1], "input": True},
        "label": {"kind": "class", "classes": list(classes)},
    }
    scores = 3 * np.eye(len(classes))[labels] + random.normal(0, 1, (400, len(classes)))
    likely = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    arrays = {
        "reconstruction": {"output": reference["image"][:16].astype("f2")},
        "codes": {"codes": random.normal(labels[:, None] % 7, 1, (400, 2)).astype("f4")},
        "classes": {"probabilities": likely.astype("f2")},
    }
    axes = {"output": ("sample", "height", "width", "channel"), "codes": ("sample", "latent")}
    kinds = {"reconstruction": "reconstruction", "codes": "latent_codes", "classes": "predictions"}
    options = {
        "reconstruction": {"field": "image", "samples": 16},
        "codes": {"label": "label"},
        "classes": {"output": "label", "target": "label"},
    }
    probes = tuple(
        ProbeInfo(
            probe,
            kinds[probe],
            {k: ArrayInfo(v.shape, str(v.dtype), axes.get(k, ("sample", "class")))},
            options[probe],
        )
        for probe, given in arrays.items()
        for k, v in given.items()
    )
    said = {"model": "classifier", "data": name, "epochs": 1, "steps_per_epoch": 100}
    folder = RunFolder.create(root, f"classifier-{name}")
    folder.write({"model": "classifier", "data": name, "status": "training"})
    header = Header({**said, "heads": ["label"]}, fields, probes, ("loss",))
    with RecordingWriter(folder.recording, header, reference) as writer:
        for frame in range(frames):
            writer.append_scalars(frame * 50, frame / 2, frame * 1.0, {"loss": 1.0 / (1 + frame)})
            writer.append(frame * 50, frame / 2, frame * 1.0, arrays)
    folder.update(status="finished")
    return folder.path
