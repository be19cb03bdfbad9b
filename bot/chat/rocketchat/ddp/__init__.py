"""Rocket.Chat's realtime protocol (DDP): a pure state machine, and the socket that feeds it."""
