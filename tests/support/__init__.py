"""What tests need to act as API Gateway, as SQS, and as a customer."""
