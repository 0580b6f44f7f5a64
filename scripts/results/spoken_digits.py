"""Floor of docs/examples.md for spoken digits: five nearest neighbours on a PCA of the windows.

`python scripts/results/spoken_digits.py 'signals:path=clips,labels=yes,test=*_[0-4],window=4096'`
prints their accuracy on the test, by the best of several numbers of components.
"""

import sys

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from ed_core import load_data

COMPONENTS = (8, 16, 32, 64, 128)
NEIGHBOURS = 5


def main(text: str) -> None:
    """Print the floors of labelled signals, a data set's text with its options."""
    data = load_data(text)
    windows, labels = [], []
    for split in ("train", "test"):
        arrays = data.splits[split]
        windows.append(np.nan_to_num(arrays["signal"]).reshape(len(arrays["signal"]), -1))
        labels.append(np.asarray(arrays["label"]))
    most = np.bincount(labels[0]).argmax()
    print(f"most frequent class: accuracy {(labels[1] == most).mean():.3f}")
    print(f"windows: {len(labels[0])} to train on, {len(labels[1])} to test")
    for count in COMPONENTS:
        floor = make_pipeline(PCA(count, random_state=0), KNeighborsClassifier(NEIGHBOURS))
        score = floor.fit(windows[0], labels[0]).score(windows[1], labels[1])
        print(f"{NEIGHBOURS} neighbours on PCA of {count}: accuracy {score:.3f}")


if __name__ == "__main__":
    main(sys.argv[1])
