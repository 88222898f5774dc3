"""The golden cases of the caption skill."""
