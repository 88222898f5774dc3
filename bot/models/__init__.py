"""The models: what is known of each, where its files come from, which one is live, and how it is run."""
