"""The demonstration of `make run`: a shop that sells, systems with bad days, and a judge who believes only outsiders."""
