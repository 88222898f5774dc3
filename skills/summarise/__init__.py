"""Summaries: of what is pasted, quoted, attached, linked or was said."""
