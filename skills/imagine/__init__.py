"""Drawing: a picture from a description, by a small diffusion model that an admin brings."""
