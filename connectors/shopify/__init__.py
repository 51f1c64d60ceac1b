"""Shopify: a shop's orders, products and stock, by webhook and by Admin GraphQL."""
