"""The message store: deliveries, events, runs, steps, attempts, payloads, and their few moves."""
