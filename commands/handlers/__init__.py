"""Arguments in, one service call, what to say out: one file per theme, all in `COMMANDS`."""
