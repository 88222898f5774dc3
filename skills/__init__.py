"""The tenants: a folder a skill, and everything of that skill in it."""
