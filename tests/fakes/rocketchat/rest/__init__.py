"""The REST side: one file for each group of endpoints."""
