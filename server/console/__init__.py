"""The operator's console: the lines typed there (prompt), and what it shows unasked (feed)."""
