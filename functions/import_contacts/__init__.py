"""Imports contacts from a file, in slices. An SQS consumer; writes contacts as the import role.

A job is read and checked as a whole before the first contact is written. Each slice is one transaction that also moves the
job's position, so that after a crash the next delivery of the message goes on exactly there.
"""
