"""What providers speak: bytes in, records out; no session, no clock."""
