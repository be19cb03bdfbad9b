"""Reads the text of a YAML 1.2 file into leaves with line numbers.

Every scalar stays the text that was written (`12:30`, `no`, `007`); the settings classes decide
what it means. Complaints are our own words: those of the YAML library repeat values, maybe secrets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bot.config.errors import Problem, Source
from bot.config.keypath import KeyPath, text_of
from bot.config.leaves import Leaf, Leaves

_NULL = "tag:yaml.org,2002:null"
_YAML_TAG = "tag:yaml.org,"
_MAX_DEPTH = 8  # more than any key needs; an alias may contain itself
_QUOTE_IT = "a value that begins with {} must be put in quotes"
_TAG_IN_LIST = re.compile(r"[\[,]\s*!")
_NEEDS_QUOTES = re.compile(r"found character '([@`%])'")


@dataclass(slots=True)
class Document:
    """What a file says. `sources` also knows sections and items of lists.

    `whole` is false where the text is no YAML: then what is missing may be in the part not read.
    """

    name: str
    leaves: Leaves = field(default_factory=dict)
    sources: dict[KeyPath, Source] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True

    def complain(self, line: int, text: str, path: KeyPath = ()) -> None:
        """Note a problem on `line`, counted from 0."""
        self.problems.append(Problem(Source(self.name, line + 1), text_of(path), text))


def read_document(text: str, name: str) -> Document:
    """Read the text of the file called `name`; every problem found is in the result."""
    document = Document(name)
    root = _compose(text, document)
    if isinstance(root, MappingNode):
        _read_mapping(root, (), document)
    elif root is not None:
        document.whole = False
        document.complain(0, "must consist of lines such as `public_url: https://meet.example.org`")
    return document


def _compose(text: str, document: Document) -> Node | None:
    """Parse; a value that only lacks its quotes is noted and passed over, to find the rest too."""
    while True:
        try:
            return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]
        except MarkedYAMLError as error:
            mark = error.problem_mark
            lacks_quotes = _NEEDS_QUOTES.search(error.problem or "")
            if mark is None or not lacks_quotes:
                document.whole = False
                document.complain(*_place_and_words(error, text))
                return None
            document.complain(mark.line, _QUOTE_IT.format(lacks_quotes[1]))
            text = f"{text[: mark.index]}_{text[mark.index + 1 :]}"
        except YAMLError as error:
            document.whole = False
            document.complain(_line_of(error, text), "holds a character that YAML does not allow")
            return None


def _place_and_words(error: MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line and what is wrong there; `[!bbb]` is only noticed lines later, so look back."""
    start, end = error.context_mark, error.problem_mark
    if start and end and _TAG_IN_LIST.search(text, start.index, end.index):
        return start.line, _QUOTE_IT.format("!")
    return end.line if end else 0, _words_for(error)


def _words_for(error: MarkedYAMLError) -> str:
    """What is wrong, without the values that the library repeats."""
    problem = error.problem or ""
    if "\\t" in problem:
        return "is indented by a tab: use spaces"
    if "alias" in problem:
        return _QUOTE_IT.format("*")
    if "mapping values are not allowed" in problem:
        return "holds a second colon or is indented wrongly: put a value with ': ' in quotes"
    if "another document" in problem:
        return "begins a second document: remove the line ---"
    return f"is not valid YAML{_context(error)}; look for a missing quote, bracket or indentation"


def _context(error: MarkedYAMLError) -> str:
    return f" ({error.context})" if error.context else ""


def _line_of(error: YAMLError, text: str) -> int:
    position = error.position if isinstance(error, ReaderError) else 0
    return text.count("\n", 0, position)


def _read(node: Node, path: KeyPath, document: Document) -> None:
    source = document.sources[path]
    if len(path) > _MAX_DEPTH:
        document.problems.append(Problem(source, text_of(path), "is nested too deeply"))
    elif isinstance(node, MappingNode):
        _read_mapping(node, path, document)
    elif isinstance(node, SequenceNode):
        _read_sequence(node, path, document)
    else:
        _read_scalar(node, path, document)


def _read_mapping(node: MappingNode, path: KeyPath, document: Document) -> None:
    if path and not node.value:
        document.leaves[path] = Leaf({}, document.sources[path])
    for key, value in node.value:
        line = key.start_mark.line
        if not isinstance(key, ScalarNode):
            document.complain(line, "has no plain word as its key", path)
            continue
        below = (*path, key.value)
        if below in document.sources:
            first = document.sources[below].line
            document.complain(line, f"is here a second time (first on line {first})", below)
            continue
        document.sources[below] = Source(document.name, line + 1)
        _read(value, below, document)


def _read_sequence(node: SequenceNode, path: KeyPath, document: Document) -> None:
    for number, item in enumerate(node.value):
        document.sources[*path, number] = Source(document.name, item.start_mark.line + 1)
    if all(isinstance(item, ScalarNode) for item in node.value):
        items = list(_texts(node, path, document))
        document.leaves[path] = Leaf(items, document.sources[path])
    else:
        for number, item in enumerate(node.value):
            _read(item, (*path, number), document)


def _texts(node: SequenceNode, path: KeyPath, document: Document) -> Iterator[str]:
    for number, item in enumerate(node.value):
        if item.tag == _NULL:
            text = f"is empty; {_QUOTE_IT.format('#')}"
            document.complain(item.start_mark.line, text, (*path, number))
        _check_tag(item, (*path, number), document)
        yield item.value


def _read_scalar(node: Node, path: KeyPath, document: Document) -> None:
    """Keep the text; a key without a value counts as not written."""
    if node.tag != _NULL:
        _check_tag(node, path, document)
        document.leaves[path] = Leaf(node.value, document.sources[path])


def _check_tag(node: Node, path: KeyPath, document: Document) -> None:
    """`!room:example.org` without quotes is a YAML tag, and its text would be lost."""
    if not (node.tag or _YAML_TAG).startswith(_YAML_TAG):
        document.complain(node.start_mark.line, _QUOTE_IT.format("!"), path)
