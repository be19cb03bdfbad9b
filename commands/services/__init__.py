"""What happens: one file per theme, each taking everything it needs as arguments."""
