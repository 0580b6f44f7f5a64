"""The built-in panels, one file each; found through the entry-point group `edkit.panels`."""
