"""How a model's files are run: one file a family. `bot.models.families` lists them."""
