"""Model of the run on show: cursor, frame requests, alignment; no widgets."""
