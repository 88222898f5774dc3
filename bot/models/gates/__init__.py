"""The gates of the slots that the host itself needs (embed, route, read), and what all gates share: measures, golden cases."""
