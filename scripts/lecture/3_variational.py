"""Lecture 3: variational auto-encoders, whose codes can be drawn from N(0, 1).

python scripts/lecture/3_variational.py [--data mnist] [--epochs 30] [--out FOLDER]

Draws the plane of a code of two numbers, the grid decoded from it at the quantiles of the prior and
uniformly, sampled images, the way from one sample to another, a plane through a code of eight
numbers, and images of each class with the same style.
"""

import argparse
from pathlib import Path

from ed_core import draw_figures, evaluate, train


def main() -> None:
    """Train a small, a larger and a conditional variational auto-encoder and draw from each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("runs/lecture_3"))
    options = parser.parse_args()
    figures = options.out / "figures"
    plan = {"data": options.data, "epochs": options.epochs, "learning_rate": 0.002}

    rise = min(5.0, options.epochs / 2)

    runs = {
        "two_numbers": train("vae", **plan, out=options.out),
        "eight_numbers": train("vae", **plan, out=options.out, latent=8, anneal=rise),
        "conditional": train("conditional_vae", **plan, out=options.out, latent=2),
    }
    for name, run in runs.items():
        numbers = evaluate(run)
        print(
            f"{name}: negative ELBO {numbers['neg_elbo']:.1f} nats = reconstruction "
            f"{numbers['reconstruction']:.1f} + KL {numbers['kl']:.1f}, "
            f"{numbers['active_units']} active units"
        )
        draw_figures(run, figures / name)
    draw_figures(runs["eight_numbers"], figures / "dimensions_1_and_2", dimensions=(0, 1))
    print(f"figures: {figures}")


if __name__ == "__main__":
    main()
