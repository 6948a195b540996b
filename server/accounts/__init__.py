"""Accounts: who is asking, and how often a failed credential may be tried.

sessions   registration, login, tokens     passwords   Argon2id, a few at a time
operators  the command line for operator accounts     rate_limits   limits for failed credentials
"""
