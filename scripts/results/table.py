"""A made table of parts, 5,000 rows with gaps and categories, and what simple methods make of it.

`python scripts/results/table.py parts.csv` writes it and prints the floors of docs/examples.md: PCA
with as many numbers as the code on values whose gaps are filled by the mean, and for the label the
most frequent class, logistic regression and gradient boosting.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

ROWS, FACTORS, NUMBERS, GAPS, NOISE, TEST = 5000, 3, 14, 0.05, 0.15, 1000
CODE = 4  # numbers of the code
MATERIALS = ("steel", "brass", "zinc", "nylon")
LINES = ("north", "south", "west")
GRADES = ("A", "B", "C")


def made(seed: int = 0) -> pd.DataFrame:
    """Return the table: numbers and categories that three hidden factors bring about."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(ROWS, FACTORS))
    bent = np.concatenate(
        [hidden, np.sin(2 * hidden), hidden**2 - 1, hidden * np.roll(hidden, 1, axis=1)], axis=1
    )
    numbers = bent @ random.normal(size=(bent.shape[1], NUMBERS)) / np.sqrt(bent.shape[1])
    numbers += NOISE * random.normal(size=numbers.shape)
    scale, offset = 10 ** random.uniform(-1, 3, NUMBERS), random.uniform(-2, 5, NUMBERS)
    numbers = (numbers + offset) * scale
    columns = {f"measure_{i + 1}": numbers[:, i].round(4) for i in range(NUMBERS)}
    shares = hidden @ random.normal(size=(FACTORS, len(MATERIALS)))
    columns["material"] = np.array(MATERIALS)[(shares + random.gumbel(size=shares.shape)).argmax(1)]
    columns["line"] = np.array(LINES)[np.digitize(hidden[:, 1], [-0.7, 0.7])]
    table = pd.DataFrame(columns).mask(random.random((ROWS, NUMBERS + 2)) < GAPS)
    wear = hidden[:, 0] ** 2 + hidden[:, 1] * hidden[:, 2] + 0.3 * random.normal(size=ROWS)
    table.insert(0, "part_id", [f"P{row:05d}" for row in range(ROWS)])
    table["grade"] = np.array(GRADES)[np.digitize(wear, np.quantile(wear, [0.4, 0.75]))]
    table["split"] = np.where(random.permutation(ROWS) < TEST, "test", "train")
    return table


def floors(table: pd.DataFrame) -> dict[str, float]:
    """Return what simple methods reach on the rows to test: mse of numbers there, accuracies."""
    train = (table["split"] == "train").to_numpy()
    inputs = table.drop(columns=["part_id", "grade", "split"])
    categories = pd.get_dummies(inputs[["material", "line"]], dtype=float)
    for name in ("material", "line"):
        own = [column for column in categories if column.startswith(f"{name}_")]
        categories.loc[inputs[name].isna(), own] = np.nan
    numbers = inputs.drop(columns=["material", "line"]).to_numpy()
    numbers = StandardScaler().fit(numbers[train]).transform(numbers)
    whole = np.concatenate([numbers, categories.to_numpy()], axis=1)
    mean = np.nanmean(whole[train], axis=0)
    filled = np.where(np.isnan(whole), mean, whole)
    plane = PCA(CODE).fit(filled[train])
    back = plane.inverse_transform(plane.transform(filled[~train]))
    grades = table["grade"].to_numpy()
    logistic = LogisticRegression(max_iter=2000).fit(filled[train], grades[train])
    boosting = HistGradientBoostingClassifier(random_state=0).fit(whole[train], grades[train])
    return {
        f"PCA with {CODE} numbers: mse": float(np.nanmean((back - whole[~train]) ** 2)),
        "most frequent class: accuracy": float(
            (grades[~train] == pd.Series(grades[train]).mode()[0]).mean()
        ),
        "logistic regression: accuracy": float(logistic.score(filled[~train], grades[~train])),
        "gradient boosting: accuracy": float(boosting.score(whole[~train], grades[~train])),
    }


if __name__ == "__main__":
    parts = made()
    parts.to_csv(Path(sys.argv[1]), index=False)
    for name, value in floors(parts).items():
        print(f"{name} {value:.3f}")
