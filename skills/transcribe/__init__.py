"""Transcription: voice notes and recordings as text, by a Whisper that an admin brings. The text is kept where it was sent."""
