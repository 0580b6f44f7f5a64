"""Data set of images and maps in folders, as a small TOML file describes them."""

from ed_plugins.datasets.folder.loader import folder as folder
