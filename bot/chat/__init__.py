"""The chats: what an adapter is, and one package or file for each."""
