"""How gangs go onto the nodes of a pool: which counts fit at all, and what is left when they are placed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise


def divides_in_turn(gangs: Sequence[int]) -> bool:
    """Whether each size, they rise, divides the next: then `most_in` bounds tell exactly what fits."""
    return all(large % small == 0 for small, large in pairwise(gangs))


def most_in(free_per_node: Sequence[int], gang: int) -> int:
    """The most accelerators that gangs of this size, or of multiples of it, can have on these nodes.

    Where sizes divide in turn, gangs fit if and only if for each size those of it and of larger ones have no more
    than this (bin packing with divisible item sizes: Coffman, Garey, Johnson 1987).
    """
    return sum(free // gang * gang * nodes for free, nodes in enumerate(free_per_node))


def reachable(free_per_node: Sequence[int], gangs: Iterable[int], also: Iterable[int]) -> list[int]:
    """The numbers of free accelerators that a node can come to have as gangs are placed on it, falling.

    `also` are to be among them.
    """
    sizes = tuple(gangs)
    smallest = min(sizes)
    found = {free for free, nodes in enumerate(free_per_node) if nodes} | {*also}
    fresh = set(found)
    while fresh:
        fresh = {level - size for level in fresh for size in sizes if level >= size} - found
        found |= fresh
    return sorted((level for level in found if level >= smallest), reverse=True)


class Nodes:
    """The nodes of a pool while gangs are placed: best fit, the node with the least room that suffices."""

    def __init__(self, free_per_node: Sequence[int], free: int) -> None:
        self._nodes = list(free_per_node)
        self.free = free
        """Accelerators."""
        self.largest = next((level for level in range(len(self._nodes) - 1, 0, -1) if self._nodes[level]), 0)
        """The most that are free on one node."""

    def copy(self) -> Nodes:
        """The same nodes, to be placed on independently."""
        return Nodes(self._nodes, self.free)

    def place(self, gang: int, count: int) -> int:
        """Place up to `count` gangs and tell how many have found room."""
        left = count
        level = gang
        while left and level < len(self._nodes):
            if not self._nodes[level]:
                level += 1
                continue
            each = level // gang
            full, rest = divmod(min(left, each * self._nodes[level]), each)
            self._nodes[level] -= full
            self._nodes[level - each * gang] += full
            left -= full * each
            if rest:
                self._nodes[level] -= 1
                self._nodes[level - rest * gang] += 1
                left -= rest
        self.free -= gang * (count - left)
        while self.largest and not self._nodes[self.largest]:
            self.largest -= 1
        return count - left
