"""Everything between API Gateway and a route: handler, access, problems, pages, idempotency."""
