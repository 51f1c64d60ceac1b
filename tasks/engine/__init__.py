"""The engine: feed, claim, act, judge, conclude. It alone opens transactions, catches, retries and logs."""
