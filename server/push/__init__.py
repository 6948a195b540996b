"""What connected clients are sent without asking, and the messages between travellers and operators."""
