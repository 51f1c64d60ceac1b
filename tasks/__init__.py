"""The face towards Celery: worker, feeds, receive, flows, engine."""
