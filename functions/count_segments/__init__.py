"""Makes ready what segments show and read, where it is too much for a request: counts, and values of fields that were declared.

Runs each minute, part by part; changes `segments`, `contact_fields` and `contact_field_values`.
"""
