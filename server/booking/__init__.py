"""What each request means, over TCP and HTTP alike (operations), and which role may ask it (permissions)."""
