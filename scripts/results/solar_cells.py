"""Solar cells: which cells are defective, learned from normal ones, beside every floor.

    python scripts/results/solar_cells.py ELPV [--draws 3] [--epochs 120] [--out DIR]
        [--picture PNG]

ELPV is the folder of https://github.com/zae-bayern/elpv-dataset that holds labels.csv and images/
(CC BY-NC-SA 4.0). Of its mono-crystalline cells at 64 x 64, 300 normal ones are trained on, 150
are kept aside to choose the score and to settle the threshold, 138 and 60 defective ones are the
test; three draws. No defective cell is looked at before the test. Prints a line for each model and
draw: the score that was chosen, AUROC, the floors, and the false alarms at the threshold.
`--picture` writes the first normal and defective cells of the first draw's test above their heat
maps by the first model.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import ed_core
from ed_core.evaluation.anomaly import detect
from ed_core.evaluation.calibration import calibrate
from ed_core.inference.heat_maps import coloured

SIDE, TRAIN, TEST, ODD = 64, 300, 138, 60
MODELS: dict[str, dict[str, Any]] = {
    "defect_detector": {"mirror": "both", "batch_size": 32, "learning_rate": 0.003},
    "conv_autoencoder": {"batch_size": 32, "learning_rate": 0.003},
    "dense_autoencoder": {"latent": 100, "batch_size": 32, "learning_rate": 0.001},
}
COLUMNS = ("pca_auroc", "pca_score_auroc", "expert_auroc", "f1", "false_positive_rate")


def main() -> None:
    """Train and measure every model on every draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    normal, odd = cells(given.folder)
    out = given.out or Path(tempfile.mkdtemp(prefix="solar_cells_"))
    print("model", "draw", "score", "auroc", *COLUMNS, "synthetic", sep="\t")
    for name in given.models.split(","):
        areas = []
        for draw in range(given.draws):
            files = write_draw(out / f"draw_{draw}", normal, odd, draw)
            run, area = measure(name, draw, files, given.epochs, out)
            areas.append(area)
            if given.picture and not given.picture.exists():
                draw_maps(run, files[1], given.picture)
        print(name, "mean", "", f"{np.mean(areas):.3f}", sep="\t", flush=True)


def cells(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the mono-crystalline cells that are surely normal and surely defective, bytes."""
    images: dict[str, list[np.ndarray]] = {"0.0": [], "1.0": []}
    for line in (folder / "labels.csv").read_text().splitlines():
        path, probability, kind = line.split()
        if kind == "mono" and probability in images:
            with Image.open(folder / path) as image:
                small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
            images[probability].append(np.asarray(small)[..., None])
    return np.stack(images["0.0"]), np.stack(images["1.0"])


def write_draw(folder: Path, normal: np.ndarray, odd: np.ndarray, draw: int) -> tuple[Path, Path]:
    """Write what is trained on and kept aside, and what is tested on, as two npz."""
    random = np.random.default_rng(draw)
    normal, odd = normal[random.permutation(len(normal))], odd[random.permutation(len(odd))]
    train, test, held = np.split(normal, [TRAIN, TRAIN + TEST])
    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "normal.npz", folder / "test.npz"
    np.savez(files[0], train_image=train, validation_image=held)
    label = np.repeat([0, 1], [len(test), ODD])
    np.savez(files[1], image=np.concatenate([test, odd[:ODD]]), label=label)
    return files


def measure(
    name: str, draw: int, files: tuple[Path, Path], epochs: int, out: Path
) -> tuple[ed_core.Run, float]:
    """Train a model, calibrate and measure it; print a line, return the run and its AUROC."""
    run = ed_core.train(
        name,
        f"arrays:{files[0]}",
        epochs=epochs,
        seed=draw,
        record=False,
        out=out / "runs",
        **MODELS[name],
    )
    settled = calibrate(run, rate=0.01)
    found = detect(run, f"arrays:{files[1]}", only={"label": "0"})
    tried = {k.removeprefix("synthetic_auroc_"): v for k, v in settled.items() if "synthetic" in k}
    best = sorted(tried.items(), key=lambda one: -float(str(one[1])))[:4]
    numbers = [f"{found[column]:.3f}" for column in COLUMNS]
    words = ", ".join(f"{score} {area:.3f}" for score, area in best)
    print(
        name, draw, found["score"], f"{found['auroc']:.3f}", *numbers, words, sep="\t", flush=True
    )
    return run, float(str(found["auroc"]))


def draw_maps(run: ed_core.Run, test: Path, picture: Path) -> None:
    """Write the first 3 normal and 7 defective cells of a test above their heat maps."""
    with np.load(test) as arrays:
        rows = [np.flatnonzero(arrays["label"] == kind)[:count] for kind, count in ((0, 3), (1, 7))]
        images = arrays["image"][np.concatenate(rows)].astype("float32") / 255
    peak = run.detector.peak if run.detector else 0.0
    heat = coloured(run.score(images, maps=True)["map"], peak)
    pairs = np.concatenate([np.repeat(images, 3, axis=-1), heat], axis=1)
    sheet = np.concatenate(list(np.pad(pairs, ((0, 0), (1, 1), (1, 1), (0, 0)))), axis=1)
    whole = Image.fromarray((255 * sheet).round().astype("uint8"))
    whole.resize((2 * whole.width, 2 * whole.height), Image.Resampling.NEAREST).save(picture)


if __name__ == "__main__":
    main()
