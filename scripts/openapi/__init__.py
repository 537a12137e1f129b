"""Makes the OpenAPI documents from the functions' routers."""
