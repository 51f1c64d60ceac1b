"""What the hub is measured against: the least that a receiver, a step and the usual Celery chain can cost."""
