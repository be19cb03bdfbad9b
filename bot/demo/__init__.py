"""The whole bot on one machine: simulated BBB, local chats, a Synapse. The bot works without."""
