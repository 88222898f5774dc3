"""The golden cases of the ocr skill."""
