"""Lecture 1: auto-encoders, dense and with convolutions, without and with a sparse code.

python scripts/lecture/1_autoencoders.py [--data fashion_mnist] [--epochs 30] [--out FOLDER]

Draws originals over reconstructions without and with sparsity, the feature maps of both, t-SNE of
the images beside that of the code, and t-SNE of the code without beside with sparsity. The embedded
digits are 8 x 8 pixels enlarged, which a PCA of 64 numbers gives back without an error.
"""

import argparse
from pathlib import Path

from ed_core import draw_figures, evaluate, train

SPARSITY = 0.1


def main() -> None:
    """Train four auto-encoders and draw what tells them apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/lecture_1"))
    options = parser.parse_args()
    plan = {
        "data": options.data,
        "epochs": options.epochs,
        "learning_rate": 0.002,
        "out": options.out,
    }

    for name in ("dense_autoencoder", "conv_autoencoder"):
        dense = train(name, **plan)
        sparse = train(name, **plan, sparsity=SPARSITY)
        for run in (dense, sparse):
            numbers = evaluate(run)
            print(
                f"{name}, sparsity {run.info['params']['sparsity']}: squared error per pixel "
                f"{numbers['mse']:.4f} (PCA {numbers['pca_mse']:.4f}), "
                f"{numbers['active_fraction']:.0%} of the code active"
            )
        draw_figures(dense, options.out / "figures" / name)
        draw_figures(dense, options.out / "figures" / f"{name}_and_sparse", other=sparse)
    print(f"figures: {options.out / 'figures'}")


if __name__ == "__main__":
    main()
