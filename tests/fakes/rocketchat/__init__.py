"""A Rocket.Chat for the tests, on loopback: REST and DDP over one state, in several versions.

`python -m tests.fakes.rocketchat --port 3000` runs it by hand.
"""

from tests.fakes.rocketchat.profiles import PROFILES, Heartbeat, Profile
from tests.fakes.rocketchat.records import Room, User
from tests.fakes.rocketchat.seams import Seam
from tests.fakes.rocketchat.server import RocketChat

__all__ = ["PROFILES", "Heartbeat", "Profile", "RocketChat", "Room", "Seam", "User"]
