"""Compares the payments and refunds of a provider with those of the database. It changes nothing.

records        what one side has of a payment or a refund, and the differences of two sides
database_side  the records of the database
stripe_side    the records of Stripe
bank_side      the records of a bank's file
command        subcommand reconcile
"""
