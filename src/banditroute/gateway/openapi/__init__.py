"""What the gateway serves, as an OpenAPI document: for whoever makes a client, and for tests of its word."""
