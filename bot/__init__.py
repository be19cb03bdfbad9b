"""Everything that touches the outside world: chats, BigBlueButton, web, clock, terminal."""
