"""What the functions share: settings, data access, authentication, events, HTTP and queue handling."""
