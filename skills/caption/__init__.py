"""Caption: what a picture shows, as far as it can be known."""
