"""Fashion-MNIST as 22,000 PNG files and a CSV file with 5 % of the labels, and what they are worth.

`python scripts/results/pictures.py FOLDER` writes 20,000 files to train on, of which 1,000 have a
label, and 2,000 to test, into FOLDER, with labels.csv (file, label, split), and prints the floors
of docs/examples.md: logistic regression on the pixels of the same 1,000, and the most frequent
class.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.linear_model import LogisticRegression

from ed_core import load_data

TRAIN, LABELLED, TEST = 20_000, 1_000, 2_000


def main(folder: Path) -> None:
    """Write the files, and print the floors."""
    data = load_data("fashion_mnist")
    classes = np.array(data.fields["label"].classes)
    folder.mkdir()
    lines, pixels, labels = [], [], []
    for split, count in (("train", TRAIN), ("test", TEST)):
        images = np.asarray(data.splits[split]["image"][:count])
        own = classes[np.asarray(data.splits[split]["label"][:count])]
        whole = np.rint(images[..., 0] * 255).astype("uint8")
        for number, image in enumerate(whole):
            name = f"{split}_{number:05d}.png"
            Image.fromarray(image).save(folder / name)
            is_known = split == "test" or number < LABELLED
            lines.append((name, own[number] if is_known else "", split))
        pixels.append(images.reshape(count, -1)[: LABELLED if split == "train" else None])
        labels.append(own[: LABELLED if split == "train" else None])
    table = pd.DataFrame(lines, columns=["file", "label", "split"])
    table.to_csv(folder / "labels.csv", index=False)
    floor = LogisticRegression(max_iter=300).fit(pixels[0], labels[0])
    print(f"logistic regression: accuracy {floor.score(pixels[1], labels[1]):.3f}")
    most = pd.Series(labels[0]).mode()[0]
    print(f"most frequent class: accuracy {(labels[1] == most).mean():.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
