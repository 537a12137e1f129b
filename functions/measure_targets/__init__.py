"""Publishes how far the platform is from its technical targets, every five minutes, for the alarms on them."""
