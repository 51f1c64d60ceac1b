"""Customers: who buys, recognised by the rule of each account; duplicates are put before a person."""
