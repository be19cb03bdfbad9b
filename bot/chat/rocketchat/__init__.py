"""Rocket.Chat: REST in worker threads for what we say and ask, an own realtime client to listen."""
