"""The failure lab: scenarios that break things under load, and a judge that believes only outsiders."""
