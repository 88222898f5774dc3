"""What `paring eval` measures: search, routing, summaries."""
