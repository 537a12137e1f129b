"""Mail servers of accounts' own, and the platform's: real SMTP with TLS and logins, on loopback."""
