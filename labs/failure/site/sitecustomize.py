"""Every Python process that has this folder on its PYTHONPATH can be stopped at the lab's points; no other knows of them."""

from labs.failure import points

points.install()
