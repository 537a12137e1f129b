"""Measures the platform against its targets, every five minutes: for the alarms, and once a month for a report to the staff."""
