"""The minimum cut of a small network, by Dinic's algorithm (1970; Cormen et al., Introduction to Algorithms, 26).

SciPy has one, in a package whose import takes as long as all else that a new process does before its first gradient.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

SMALL = 1e-9  # of the largest capacity: less is nothing


def source_side(edges: dict[tuple[int, int], float], source: int, sink: int) -> set:
    """The nodes on the source's side of a minimum cut. `edges`: (from, to) -> capacity, which may be endless."""
    room: dict[int, dict[int, float]] = {source: {}, sink: {}}
    for (a, b), capacity in edges.items():
        room.setdefault(a, {})[b] = room.get(a, {}).get(b, 0.0) + capacity
        room.setdefault(b, {}).setdefault(a, 0.0)
    nothing = SMALL * max((c for c in edges.values() if c < float("inf")), default=0.0)
    while True:
        level = _levels(room, source, nothing)
        if sink not in level:
            return set(level)
        following = {a: iter(list(room[a])) for a in level}
        while _push(room, level, following, source, sink, nothing):
            pass


def _levels(room: dict, source: int, nothing: float) -> dict[int, int]:
    """How many edges with room lead to each node that can be reached."""
    found, queue = {source: 0}, deque([source])
    while queue:
        a = queue.popleft()
        for b, left in room[a].items():
            if left > nothing and b not in found:
                found[b] = found[a] + 1
                queue.append(b)
    return found


def _push(room: dict, level: dict, following: dict, source: int, sink: int, nothing: float) -> bool:
    """Send as much as one more path can take. Without recursion: a step may be a chain of thousands."""
    path = [source]
    while path[-1] != sink:
        a = path[-1]
        b = next((b for b in following[a] if room[a][b] > nothing and level.get(b) == level[a] + 1), None)
        if b is not None:
            path.append(b)
        elif len(path) == 1:
            return False
        else:
            path.pop()  # a dead end; its edge is used up, since `following` has moved on
    amount = min(room[a][b] for a, b in pairwise(path))
    for a, b in pairwise(path):
        room[a][b] -= amount
        room[b][a] += amount
    for a, b in pairwise(path):  # edges with room left may be taken again
        if room[a][b] > nothing:
            following[a] = _again(b, following[a])
    return True


def _again(first: int, rest):
    yield first
    yield from rest
