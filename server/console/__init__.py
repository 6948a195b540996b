"""The operator's console: its commands (prompt), and the events that it shows (feed)."""
