"""A node that takes less than others do, as many of those do that one rents: fewer calls at once, fewer blocks, and
none that are old."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.chain.posted import LIMIT_S, Posted


class Picky:
    """It stands before a node, and passes on what it takes."""

    def __init__(self, node_url: str) -> None:
        self.batches = "taken"
        """Or how several calls in one request are refused: `alone` with one answer to all of them, `some` with one to
        the first, `status` with a status and words."""
        self.most_blocks: int | None = None
        """Of which events are told at once: of more it says with a status that these are too many."""
        self.oldest = 0
        """The first block of which it has events."""
        self.has_states = True
        """Whether a contract can be asked as it was at a block."""
        self.nonces: dict[str, str | None] = {}
        """What it says that the key's nonces are, by the block that is asked for; None: it refuses to say."""
        self.asked: list[tuple[int, int]] = []
        """The blocks that it has told events of."""
        self._node_url = node_url
        self._http = httpx.Client(timeout=LIMIT_S, trust_env=False)
        self._posted = Posted(self.answer)
        self.url = self._posted.url

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """The status, and what it says."""
        asked = json.loads(body)
        if isinstance(asked, list) and self.batches != "taken":
            return self._of_many(asked)
        if isinstance(asked, dict):
            if (said := self._of_one(asked)) is not None:
                return said
        elif refused := [said for one in asked if (said := self._of_one(one))]:
            raise AssertionError(f"in a batch this is not refused here: {refused}")
        answer = self._http.post(self._node_url, content=body, headers={"Content-Type": "application/json"})
        return answer.status_code, answer.content

    @contextmanager
    def running(self) -> Iterator["Picky"]:
        """Stand there meanwhile."""
        with self._posted.running():
            yield self
        self._http.close()

    def _of_many(self, asked: list[Any]) -> tuple[int, bytes]:
        error = {"code": -32600, "message": "batches are not taken"}
        refused = {"jsonrpc": "2.0", "id": None, "error": error}
        if self.batches == "status":
            return 405, b"one at a time"
        return 200, json.dumps(refused if self.batches == "alone" else [refused | {"id": asked[0]["id"]}]).encode()

    def _of_one(self, asked: Any) -> tuple[int, bytes] | None:
        said = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] == "eth_getTransactionCount" and (block := asked["params"][1]) in self.nonces:
            count = self.nonces[block]
            error = {"error": {"code": -32000, "message": "it is not told"}}
            return 200, json.dumps(said | (error if count is None else {"result": count})).encode()
        if asked["method"] == "eth_call" and not self.has_states and asked["params"][1] != "latest":
            return 200, json.dumps(said | {"error": {"code": -32000, "message": "missing trie node"}}).encode()
        if asked["method"] != "eth_getLogs":
            return None
        first, last = (int(asked["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        if self.most_blocks is not None and last - first >= self.most_blocks:
            return 400, json.dumps(said | {"error": {"code": -32602, "message": "too many blocks"}}).encode()
        if first < self.oldest:
            return 200, json.dumps(said | {"error": {"code": 4444, "message": "pruned history unavailable"}}).encode()
        self.asked.append((first, last))
        return None
