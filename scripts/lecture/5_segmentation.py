"""Lecture 5: a class for every pixel, from a photograph and from its elevation.

python scripts/lecture/5_segmentation.py [--data folder:zion_landcover] [--epochs 40] [--out FOLDER]

Draws image, truth and prediction of a U-Net that sees the photograph beside one that sees the
elevation as well, and land use and elevation that are both read from the photograph.
"""

import argparse
from pathlib import Path

from ed_core import draw_figures, evaluate, train


def main() -> None:
    """Train three U-Nets on the same land and draw what each makes of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="land_use", help="with image, elevation and mask")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("runs/lecture_5"))
    options = parser.parse_args()
    figures = options.out / "figures"
    plan = {"data": options.data, "epochs": options.epochs, "out": options.out, "batch_size": 8}

    small = {"filters": (8, 16, 32)}
    colour = train("unet", **plan, **small)
    both = train("fusion_unet", **plan, **small, elevation_filters=(4, 8, 16))
    estimated = train("unet_land_use_and_elevation", **plan, **small)
    runs = {
        "photograph": colour,
        "photograph and elevation": both,
        "elevation from photograph": estimated,
    }
    for name, run in runs.items():
        numbers = evaluate(run)
        print(
            f"{name}: mean IoU {numbers['mask_mean_iou']:.3f}, "
            f"{numbers['mask_pixel_accuracy']:.1%} of the pixels right, "
            f"the most frequent class {numbers['mask_majority']:.1%}"
        )
    draw_figures(colour, figures / "photograph")
    draw_figures(colour, figures / "photograph_beside_both", other=both)
    draw_figures(estimated, figures / "land_use_and_elevation")
    print(f"figures: {figures}")


if __name__ == "__main__":
    main()
