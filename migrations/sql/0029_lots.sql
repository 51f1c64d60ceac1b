-- Of which batches the pieces are that an account says it has: [{"name", "quantity", "expires"}].
ALTER TABLE positions ADD COLUMN lots jsonb NOT NULL DEFAULT '[]';
