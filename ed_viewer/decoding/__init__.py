"""Client of the decoding process."""
