"""What a stream passes on, held against the answer that it amounts to."""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


class Pieces(list[ct.Part]):
    """What was passed on."""

    async def __call__(self, pieces: Sequence[ct.Part]) -> None:
        self.extend(pieces)

    def differences(self, response: gw.GenerateResponse) -> list[str]:
        """What of the answer was passed on otherwise, a line each."""
        found = []
        if "".join(piece.text for piece in self) != "".join(part.text for part in response.parts):
            found.append("the pieces of text are not those of the answer")
        if "".join(piece.reasoning.text for piece in self) != "".join(part.reasoning.text for part in response.parts):
            found.append("the pieces of reasoning are not those of the answer")
        called = [[part.tool_call for part in parts if part.HasField("tool_call")] for parts in (self, response.parts)]
        return [*found, f"other tool calls were passed on: {called}"] if called[0] != called[1] else found
