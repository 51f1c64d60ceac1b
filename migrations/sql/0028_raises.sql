-- What a place of a channel may be showing: the greatest (`sent`) and the least that was sent since it last took something; NULL where every call
-- was answered.
-- `waits`: the other place that must be told of less first.
ALTER TABLE dirty ADD COLUMN sent numeric(18, 4), ADD COLUMN least numeric(18, 4), ADD COLUMN waits text NOT NULL DEFAULT '';
-- As in 0024, and a channel of several places hears of each (p_told_at, beside p_accounts). The one of 0024 stays for processes that are not
-- restarted yet.
CREATE FUNCTION claim_line(
    p_claim text, p_line text, p_sku text, p_quantity numeric, p_buffer numeric, p_location text, p_excluded text[], p_holder text, p_content text,
    p_seconds double precision, p_accounts text[], p_told_at text[])
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
        SELECT a.account, t.sku, a.told_at FROM unnest(p_accounts, p_told_at) AS a (account, told_at),
            LATERAL (SELECT p_sku AS sku UNION SELECT bundle FROM parts WHERE parts.sku = p_sku) AS t ORDER BY 1, 2, 3
        ON CONFLICT (account, sku, location) DO UPDATE SET mark = d.mark + 1, due_at = now(), refused = '', waits = '';
    END IF;
    RETURN NEXT;
END $$;
ALTER FUNCTION claim_line(text, text, text, numeric, numeric, text, text[], text, text, double precision, text[], text[]) SET enable_seqscan = off;
