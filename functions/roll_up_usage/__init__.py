"""Finishes the usage figures of past days, shortens stored addresses, and drops figures that are too old. Hourly."""
