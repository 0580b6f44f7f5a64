"""Lecture 4: anomaly detection, pre-training, stacking, siamese and adversarial networks.

python scripts/lecture/4_reuse_and_generate.py [--data mnist] [--epochs 20] [--out FOLDER]

Prints how well an auto-encoder that was shown one class alone tells the others from it, and what an
encoder that was trained without labels does for a classifier with few; an auto-encoder on the code
of another, and a code in which a class lies together; draws confusion matrices, sampled images, and
what a generator makes of the same noise while it learns.
"""

import argparse
from pathlib import Path

from ed_core import draw_figures, evaluate, train
from ed_core.evaluation.anomaly import detect

NORMAL = 3  # the class that is no anomaly
LABELS = 0.05  # share of the labels that the classifiers see


def main() -> None:
    """Train what looks for anomalies, what is trained before, and what draws images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/lecture_4"))
    options = parser.parse_args()
    figures = options.out / "figures"
    plan = {"data": options.data, "epochs": options.epochs, "out": options.out, "batch_size": 32}
    longer = {**plan, "epochs": 4 * options.epochs}  # where an epoch has few steps

    normal = train("dense_autoencoder", **longer, only={"label": NORMAL}, latent=32)
    found = detect(normal)
    print(f"anomalies, AUROC: auto-encoder {found['auroc']:.3f}, PCA {found['pca_auroc']:.3f}")
    draw_figures(normal, figures / "anomalies")

    before = train("autoencoder_classifier", **plan, weights={"label": 0.0})
    few = {"labels": {"label": LABELS}, "stratified": True}
    for start in ("random", "trained"):
        run = train("classifier", **longer, **few, encoder=str(before.path), start=start)
        numbers = evaluate(run)
        print(
            f"{start} encoder, {LABELS:.0%} of the labels: {numbers['label_accuracy']:.1%} right, "
            f"the most frequent class {numbers['label_majority']:.1%}"
        )
        draw_figures(run, figures / f"classifier_{start}")

    stacked = train("stacked_autoencoder", **plan, base=str(before.path), latent=8)
    numbers = evaluate(stacked)
    print(f"8 numbers on another code: error {numbers['mse']:.4f}, PCA {numbers['pca_mse']:.4f}")
    draw_figures(stacked, figures / "stacked")

    pairs = train("siamese", **longer, latent=8)
    numbers = evaluate(pairs)
    print(f"siamese: the nearest codes tell {numbers['knn_accuracy']:.1%} of the classes")
    draw_figures(pairs, figures / "siamese")

    for name in ("gan", "conditional_gan"):
        run = train(name, **(plan | {"batch_size": 64}), filters=(32, 16))
        draw_figures(run, figures / name)
    print(f"figures: {figures}")


if __name__ == "__main__":
    main()
