"""The realtime side: sockets, what they may listen to, what they hear."""
