"""The engine on SQLite, through sqlite-utils: one connection in one writing thread."""
