"""Shows the API's reference: Swagger UI, the OpenAPI document, and the page that explains each error code.

Anyone may call it. It owns no table; everything it serves is made at build time or is part of the code.
"""
