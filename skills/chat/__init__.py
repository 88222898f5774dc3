"""Conversation: with a small instruct model that an admin brings, or with a server of one's own."""
