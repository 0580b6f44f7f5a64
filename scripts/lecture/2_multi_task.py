"""Lecture 2: several tasks on one code, and what one task does for another.

python scripts/lecture/2_multi_task.py [--data fashion_mnist] [--epochs 20] [--out FOLDER]

Draws digit and angle at lambda 1, 1 beside 1, 100 (curves weighted and not, predicted against true
angle), and coarse and fine classes with all, 25 % and 5 % of the fine labels (confusion matrices in
coarse groups). By default all on embedded digits, whose coarse class is their shape.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from ed_core import Dataset, Field, Fields, dataset, draw_figures, evaluate, load_data, train

SHAPES = ("closed", "open")
CLOSED = (0, 6, 8, 9)  # digits that enclose something


@dataset
def digit_shapes() -> Dataset:
    """Embedded digits with a coarse class: whether they enclose something."""
    digits = load_data("digits")
    fields = Fields({**digits.fields, "coarse": Field((), "class", SHAPES)})
    splits = {
        name: {**arrays, "coarse": (~np.isin(arrays["label"], CLOSED)).astype("uint8")}
        for name, arrays in digits.splits.items()
    }
    return replace(digits, fields=fields, splits=splits)


def main() -> None:
    """Train two multi-task networks several times, and draw what tells them apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digit_shapes", help="with the fields label and coarse")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/lecture_2"))
    options = parser.parse_args()
    figures = options.out / "figures"
    plan = {"epochs": options.epochs, "out": options.out}

    source = "digits" if options.data == "digit_shapes" else "auto"
    turned = f"rotated_digits:source={source}"
    equal = train("digit_and_angle", turned, **plan)
    weighted = train("digit_and_angle", turned, **plan, weights={"label": 100.0})
    for name, run in (("1, 1", equal), ("1, 100", weighted)):
        numbers = evaluate(run)
        print(
            f"lambda {name}: digit {numbers['label_accuracy']:.1%} "
            f"(the most frequent {numbers['label_majority']:.1%}), angle RMSE "
            f"{numbers['angle_rmse']:.1f} degrees (the mean angle {numbers['angle_mean_rmse']:.1f})"
        )
    draw_figures(equal, figures / "digit_and_angle", other=weighted)

    runs = {}
    for share in (1.0, 0.25, 0.05):
        labels = {"fine": share} if share < 1 else None
        run = train("coarse_and_fine", options.data, **plan, labels=labels, stratified=True)
        numbers = evaluate(run)
        print(
            f"{share:.0%} of the fine labels: fine {numbers['fine_accuracy']:.1%} "
            f"(the most frequent {numbers['fine_majority']:.1%}), "
            f"coarse {numbers['coarse_accuracy']:.1%}"
        )
        draw_figures(run, figures / f"coarse_and_fine_{share:.0%}".rstrip("%"))
        runs[share] = run
    draw_figures(runs[1.0], figures / "coarse_and_fine_100_and_5", other=runs[0.05])
    print(f"figures: {figures}")


if __name__ == "__main__":
    main()
