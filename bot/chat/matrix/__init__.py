"""Matrix: a sync loop of our own around matrix-nio, rights asked of the server, encryption."""
