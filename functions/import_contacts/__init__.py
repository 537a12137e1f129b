"""Imports contacts from a file, in slices. An SQS consumer; writes contacts as the import role.

A job is read and checked as a whole before the first contact is written. Each slice is one transaction, and slices are merged
on two connections side by side. A slice that is read moves the job's position, one that is merged is marked so, in the
transaction that does it: after a crash the next delivery of the message goes on exactly there.
"""
