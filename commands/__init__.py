"""What people may ask for, and what then happens."""
