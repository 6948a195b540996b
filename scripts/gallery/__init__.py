"""Takes pictures of the terminal client: scripts/pictures."""
