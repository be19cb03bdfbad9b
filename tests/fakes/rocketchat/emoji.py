"""The emoji that the server knows by name."""

from __future__ import annotations

_KNOWN = frozenset(
    """
    +1 -1 thumbsup thumbsdown ok_hand wave clap raised_hands raised_hand pray smile smiley grin joy
    heart eyes fire rocket tada warning question exclamation bulb lock unlock key link bell no_bell
    arrow_forward arrow_backward stop_button pause_button record_button play_pause track_next
    black_square_for_stop octagonal_sign no_entry no_entry_sign x white_check_mark
    ballot_box_with_check heavy_check_mark heavy_plus_sign heavy_minus_sign repeat
    arrows_counterclockwise arrow_right arrow_left arrow_up arrow_down hourglass
    hourglass_flowing_sand clock1 alarm_clock calendar date movie_camera video_camera cinema
    microphone mute speaker telephone telephone_receiver phone door busts_in_silhouette robot
    thinking slight_smile disappointed sob sleeping zzz one two three four five six seven eight nine
    zero keycap_ten red_circle green_circle white_circle black_circle large_blue_circle
    information_source recycle wastebasket pencil memo pushpin round_pushpin mag mailbox e-mail
    envelope speech_balloon
    """.split()
)


def exists(name: str) -> bool:
    """Whether `:name:` is one that may be reacted with."""
    return name.strip(":") in _KNOWN
