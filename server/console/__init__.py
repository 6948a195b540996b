"""The operator's console: on a terminal (prompt), its commands, and the events that it shows (feed)."""
