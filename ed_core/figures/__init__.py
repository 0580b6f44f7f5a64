"""The lecture's pictures of a run, as PNG, SVG or PDF."""
