"""The lecture's figures of a run, as PNG, SVG or PDF."""
