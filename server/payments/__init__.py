"""Payments of travellers to a provider, and the refunds of these payments."""
