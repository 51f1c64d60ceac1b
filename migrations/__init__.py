"""The schema's history: expand first, contract later, never both in one step."""
