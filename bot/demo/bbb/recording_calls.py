"""The calls about recordings, of a server that has none."""

from collections.abc import Mapping

from starlette.responses import Response

from bot.demo.bbb import answers
from bot.demo.bbb.asked import Asked
from bot.demo.bbb.refusals import Refusal
from bot.demo.bbb.state import State

_NEEDED = {
    "recordID": Refusal("missingParamRecordID", "You must specify a recordID."),
    "publish": Refusal("missingParamPublish", "You must specify a publish value true or false."),
}


def get_recordings(state: State, asked: Asked) -> Response:
    """None, which is a SUCCESS."""
    return answers.no_recordings()


def publish(state: State, asked: Asked) -> Response:
    """Not found."""
    raise _first_trouble(asked.parameters, "recordID", "publish")


def delete_or_update(state: State, asked: Asked) -> Response:
    """Not found."""
    raise _first_trouble(asked.parameters, "recordID")


def text_tracks(state: State, asked: Asked) -> Response:
    """Get and put text tracks: JSON, also when it fails."""
    if not asked.get("recordID"):
        return answers.json_failure(Refusal("paramError", "Missing param recordID."))
    return answers.json_failure(Refusal("noRecordings", "No recording was found for that id."))


def _first_trouble(parameters: Mapping[str, str], *needed: str) -> Refusal:
    missing = (_NEEDED[name] for name in needed if not parameters.get(name))
    return next(missing, Refusal("notFound", "We could not find recordings"))
