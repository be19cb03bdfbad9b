"""Rows, one contract, and the engines that keep it."""
