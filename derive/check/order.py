"""The order in which quantities are worked out under mistakes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from heapq import heapify, heappop, heappush


def order_of(parents: Mapping[str, Collection[str]], wanted: Mapping[str, Collection[str]]) -> dict[str, int]:
    """The rank of each quantity: behind its parents, and behind what is wanted before it as far as that can be.

    wanted  what mistakes compute a quantity from: the updated weight that is used too early.  Quantities of equal
            standing stay in the order of `parents`.
    """
    place = {key: number for number, key in enumerate(parents)}
    keys = list(parents)
    children: dict[str, list[str]] = {}
    waiting: dict[str, list[str]] = {}
    for key in keys:
        for parent in parents[key]:
            children.setdefault(parent, []).append(key)
        for need in wanted.get(key, ()):
            waiting.setdefault(need, []).append(key)
    missing = {key: len(parents[key]) for key in keys}
    hoped = {key: len(wanted.get(key, ())) for key in keys}
    ready = [(hoped[key] > 0, place[key]) for key in keys if not missing[key]]
    heapify(ready)
    rank: dict[str, int] = {}
    while ready:
        key = keys[heappop(ready)[1]]
        if key in rank:
            continue
        rank[key] = len(rank)
        for user in waiting.get(key, ()):
            hoped[user] -= 1
            if not hoped[user] and not missing[user] and user not in rank:
                heappush(ready, (False, place[user]))
        for child in children.get(key, ()):
            missing[child] -= 1
            if not missing[child]:
                heappush(ready, (hoped[child] > 0, place[child]))
    return rank
