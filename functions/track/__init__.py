"""Where the links in mails lead: the open pixel, the redirect of clicks, and the page that ends a subscription."""
