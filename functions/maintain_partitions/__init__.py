"""Makes the partitions of the months to come and drops those past their retention. Runs each day."""
