"""Printed circuit boards laid out for anomaly detection: boxes of defects become masks.

    python scripts/results/deep_pcb.py PCBDATA OUT

PCBDATA is the folder PCBData of https://github.com/tangsanli5201/DeepPCB (MIT licence): pairs of
black and white pictures of 640 x 640, one clean and one with 3 to 12 defects, each in a box. The
pictures are halved and cut into tiles of 80 x 80. OUT/normal gets 1,500 tiles of clean pictures of
the publisher's training pairs, OUT/labelled 250 clean tiles (images/good) and 250 with a defect
whole within (images/odd) of its test pairs, no pair giving both, and masks of the boxes.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

TILE, TRAIN, TEST = 80, 1500, 250

Tile = tuple[np.ndarray, np.ndarray]
"""A tile of a picture and its mask, (80, 80) bytes."""


def main() -> None:
    """Write the tiles."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    random = np.random.default_rng(0)
    training, test = (pairs(given.folder, name, random) for name in ("trainval.txt", "test.txt"))
    half = len(test) // 2
    write(given.out / "normal", drawn(training, "temp", TRAIN, random))
    labelled = given.out / "labelled"
    for kind, chosen, state in (("good", test[:half], "temp"), ("odd", test[half:], "test")):
        tiles = drawn(chosen, state, TEST, random)
        write(labelled / "images" / kind, tiles)
        write(labelled / "masks" / kind, [(mask, mask) for _, mask in tiles])


def pairs(folder: Path, name: str, random: np.random.Generator) -> list[tuple[Path, Path]]:
    """Return the pictures (without their state) and the boxes of a list of pairs, shuffled."""
    lines = [line.split() for line in (folder / name).read_text().splitlines() if line.strip()]
    paths = [(folder / picture, folder / boxes) for picture, boxes in lines]
    return [paths[number] for number in random.permutation(len(paths))]


def drawn(
    chosen: Sequence[tuple[Path, Path]], state: str, count: int, random: np.random.Generator
) -> list[Tile]:
    """Return tiles, equally many of each pair: clean ones of `temp`, odd ones of `test`."""
    tiles: list[Tile] = []
    each = -(-count // len(chosen))
    for picture, boxes in chosen:
        path = picture.with_name(f"{picture.stem}_{state}.jpg")
        some = list(cut(path, boxes if state == "test" else None))
        tiles += [some[number] for number in random.permutation(len(some))[:each]]
    return tiles[:count]


def cut(path: Path, boxes: Path | None) -> Iterator[Tile]:
    """Yield the tiles of a picture; of one with defects those that hold one whole."""
    with Image.open(path) as picture:
        grey = np.asarray(picture.convert("L").reduce(2))
    corners = np.loadtxt(boxes, int, ndmin=2)[:, :4] // 2 if boxes else np.zeros((0, 4), int)
    mask = np.zeros_like(grey)
    for left, top, right, bottom in corners:
        mask[top : bottom + 1, left : right + 1] = 255
    for top in range(0, grey.shape[0] - TILE + 1, TILE):
        for left in range(0, grey.shape[1] - TILE + 1, TILE):
            place = slice(top, top + TILE), slice(left, left + TILE)
            inside = (corners[:, :2] >= (left, top)) & (corners[:, 2:] < (left + TILE, top + TILE))
            if boxes is None or inside.all(axis=1).any():
                yield grey[place], mask[place]


def write(folder: Path, tiles: Sequence[Tile]) -> None:
    """Write the first of each pair as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (tile, _) in enumerate(tiles):
        Image.fromarray(tile).save(folder / f"{folder.name}_{number:04d}.png")


if __name__ == "__main__":
    main()
