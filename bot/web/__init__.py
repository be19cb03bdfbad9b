"""The web gateway: pages that turn a stable link into a way into the call, at the click."""
