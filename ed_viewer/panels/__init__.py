"""Built-in panels, one file each; registered through the entry-point group `edkit.panels`."""
