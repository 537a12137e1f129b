"""Counts the contacts of segments that are too many for a request, part by part. Runs each minute; changes `segments`."""
