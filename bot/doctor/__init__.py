"""`bbb-bot doctor`: what is wrong with this installation, and the remedy of each thing."""

from bot.doctor.examination import CHECKS, examine, names
from bot.doctor.finding import Finding, Level, exit_code, findings_of, render

__all__ = ["CHECKS", "Finding", "Level", "examine", "exit_code", "findings_of", "names", "render"]
