"""A BigBlueButton server for demo and tests: the real API and join pages, no audio or video.

It imports nothing from the rest of the bot, so that a mistake in our client cannot hide in it.
"""

from bot.demo.bbb.faults import Fault
from bot.demo.bbb.rules import RULES, Rules
from bot.demo.bbb.simulator import SimulatedBBB

__all__ = ["RULES", "Fault", "Rules", "SimulatedBBB"]
