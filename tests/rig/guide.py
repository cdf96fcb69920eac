"""The blocks of docs/k3s.md, and how what a block prints is compared with what the page shows.

The words after a block's language say what it is: `sh rig` and `sh machines` are run there, `sh rig machines` in both
places, `text output` is what the block before prints, `json app.json` is a file of the example's source.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "k3s.md"
RIG, MACHINES = "rig", "machines"
_FENCE = "```"


@dataclass(frozen=True)
class Block:
    line: int
    language: str
    tag: str
    text: str
    output: str | None = None

    def is_run(self, place: str) -> bool:
        return self.language == "sh" and place in self.tag.split()


def blocks(path: Path = GUIDE) -> list[Block]:
    """The blocks in their order, each shell block with the output that follows it.

    Errors: ValueError for one that nobody would run or compare.
    """
    found: list[Block] = []
    for block in _fenced(path.read_text().splitlines()):
        if (block.language, block.tag) == ("text", "output"):
            before = found[-1] if found else None
            if before is None or before.language != "sh" or before.output is not None:
                raise ValueError(f"{path.name}:{block.line}: this output follows no shell block")
            found[-1] = Block(before.line, "sh", before.tag, before.text, block.text)
        elif (
            block.is_run(RIG) or block.is_run(MACHINES) or (block.language, block.tag) == ("json", "app.json")
        ):
            found.append(block)
        else:
            raise ValueError(f"{path.name}:{block.line}: {block.language} {block.tag} is not run anywhere")
    return found


def differs(expected: str, actual: str) -> str:
    """What is wrong, "" for nothing. A line `...` stands for any lines, `...` in a line for any text."""
    lines = [_pattern(line) for line in expected.splitlines()]
    text = "".join(f"{line.rstrip()}\n" for line in actual.splitlines())
    return "" if re.fullmatch("".join(lines), text) else f"expected\n{expected}\nbut it was\n{actual}"


def _pattern(line: str) -> str:
    if line == "...":
        return "(?:.*\n)*"
    return ".*".join(map(re.escape, line.rstrip().split("..."))) + "\n"


def _fenced(lines: list[str]) -> Iterator[Block]:
    start = 0
    for number, line in enumerate(lines, 1):
        if not line.startswith(_FENCE):
            continue
        if start:
            language, _, tag = lines[start - 1][len(_FENCE) :].partition(" ")
            yield Block(start, language, tag, "\n".join(lines[start : number - 1]) + "\n")
            start = 0
        else:
            start = number
    if start:
        raise ValueError(f"line {start}: this block is not closed")
