"""Takes the pictures in docs/: scripts/pictures."""
