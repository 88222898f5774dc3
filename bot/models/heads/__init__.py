"""The router's linear head: how texts become features, how it is trained from utterances, and how it is kept."""
