"""Help: what can be done, told by the skills themselves."""
