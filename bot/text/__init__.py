"""What a text is made of: its sentences and its words, in Korean and English. Knows nothing of models, stores or channels."""
