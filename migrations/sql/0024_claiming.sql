-- One line of a reservation, claimed where one shelf has all of it: no row when the ledger must decide (docs/decisions.md). Every look goes by a key,
-- however small the tables were when a session planned it.

-- No bundle, no claim under this key yet, nothing owed of this SKU or sold ahead, and one shelf that has it all. The shelf is locked before it is
-- changed; its CHECK stands behind. The accounts that publish stock hear of the SKU, and of the bundles that it is a part of.
CREATE FUNCTION claim_line(
    p_claim text, p_line text, p_sku text, p_quantity numeric, p_buffer numeric, p_location text, p_excluded text[], p_holder text, p_content text,
    p_seconds double precision, p_accounts text[])
RETURNS TABLE (place text, until timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    SELECT h.location INTO place FROM shelves h
    WHERE h.sku = p_sku AND h.free >= p_quantity + p_buffer AND (p_location IS NULL OR h.location = p_location)
        AND h.location <> ALL(p_excluded)
        AND NOT EXISTS (SELECT 1 FROM shelves o WHERE o.sku = p_sku AND (o.free < 0 OR o.location = '~ahead'))
        AND NOT EXISTS (SELECT 1 FROM parts WHERE bundle = p_sku)
        AND NOT EXISTS (SELECT 1 FROM reservations r WHERE r.claim = p_claim)
    ORDER BY h.free DESC, h.location LIMIT 1 FOR UPDATE OF h;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE shelves s SET reserved = s.reserved + p_quantity, changed_at = now() WHERE s.sku = p_sku AND s.location = place;
    INSERT INTO reservations (key, claim, line_id, sku, location, quantity, holder, content, expires_at)
    VALUES (p_claim || '#0', p_claim, p_line, p_sku, place, p_quantity, p_holder, p_content, now() + make_interval(secs => p_seconds))
    RETURNING expires_at INTO until;
    IF cardinality(p_accounts) > 0 THEN
        INSERT INTO dirty AS d (account, sku, location)
        SELECT a.account, t.sku, '' FROM unnest(p_accounts) AS a (account),
            LATERAL (SELECT p_sku AS sku UNION SELECT bundle FROM parts WHERE parts.sku = p_sku) AS t ORDER BY 1, 2
        ON CONFLICT (account, sku, location) DO UPDATE SET mark = d.mark + 1, due_at = now(), refused = '';
    END IF;
    RETURN NEXT;
END $$;
ALTER FUNCTION claim_line SET enable_seqscan = off;
