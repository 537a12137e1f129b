"""Asks DNS again for the records of domains: daily for verified ones, hourly for those that lack something."""
