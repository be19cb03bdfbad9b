"""The BigBlueButton servers: signing and parsing (pure), one client a server, the pool of them."""
