"""Finds the passage that answers, in what was sent, added or said here."""
