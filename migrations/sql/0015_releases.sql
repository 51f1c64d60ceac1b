-- What is left of an authorisation is released by the hub, too: decided once, as all that it moves.
ALTER TABLE money_moves
    DROP CONSTRAINT money_moves_kind_check,
    ADD CONSTRAINT money_moves_kind_check CHECK (kind IN ('capture', 'refund', 'charge', 'void'));
