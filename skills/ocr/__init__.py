"""Ocr: the text in a picture, as text."""
