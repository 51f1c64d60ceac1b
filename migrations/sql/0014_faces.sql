-- What waits at a location, and what lies in quarantine: found without reading what is over.

CREATE INDEX fulfilments_open ON fulfilments (id)
    WHERE account = '' AND state IN ('proposed', 'requested', 'accepted', 'picked', 'packed', 'ready', 'no_show');
CREATE INDEX return_requests_quarantine ON return_requests (id) WHERE lines @> '[{"disposition": "quarantine"}]';
