"""Accounts: what each contract with another system is doing now."""
