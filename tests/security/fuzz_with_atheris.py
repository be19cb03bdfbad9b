"""A coverage-guided fuzzer over the same command lines: a program of its own, run by the tests.

    python -m tests.security.fuzz_with_atheris CORPUS -runs=20000 -seed=7

libFuzzer's options go last. It ends with 77 at the first line that breaks a rule, which it keeps.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["commands.grammar", "commands.arguments", "commands.options", "commands.cleaning"]
):
    from commands.cleaning import clean
    from tests.security.lines import VALID, dictionary, examine

LONGEST = 1200
"""Bytes; a line is read to its 500th character."""


def one_line(data: bytes) -> None:
    """Two lines: as it is, said to the bot directly, and behind the prefix.

    Bytes that are no UTF-8 become lone surrogates, which JSON may bring too.
    """
    text = data.decode("utf-8", "surrogateescape")
    examine(text, direct=True)
    examine(f"!bbb {text}")
    if clean(clean(text)) != clean(text):
        raise AssertionError("cleaned twice is not cleaned once")


def words_file(file: Path) -> Path:
    """The grammar's words as libFuzzer reads them."""
    escaped = (
        "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "surrogatepass"))
        for word in dictionary()
    )
    file.write_text("".join(f'"{word}"\n' for word in escaped))
    return file


def main(corpus: Path, options: list[str]) -> None:
    """Begin with the valid lines in `corpus`, which grows. Never returns."""
    for number, line in enumerate(VALID):
        (corpus / f"valid-{number}").write_text(line)
    words = words_file(corpus.with_suffix(".dict"))
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-dict={words}",
            f"-max_len={LONGEST}",
            "-len_control=0",
            *options,
        ],
        one_line,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
