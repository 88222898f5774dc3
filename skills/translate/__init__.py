"""Translation: a quoted message, a text or a document into another language, by a model that an admin brings.

ask.py reads what is wanted, layout.py keeps lists and code in place, origin.py tells a text's language.
"""
