"""`bbb-bot init`: five questions, each answer tried at once, and the configuration they make."""
