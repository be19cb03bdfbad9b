"""The demo's chat in a browser: the windows of several people side by side, on one page."""

from bot.demo.webchat.app import WebChat

__all__ = ["WebChat"]
