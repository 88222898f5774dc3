"""Documents in, the best passages out, never one that the asker may not read."""
