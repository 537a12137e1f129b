"""What is posted to customers' endpoints, and how: for the dispatcher, and for test posts."""
