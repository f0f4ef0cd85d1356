"""Who conflicts with whom, and so must keep the reference order.

Two tasks conflict when one writes what the other reads or writes, or when both hold a lock.
Comparing tasks pair by pair would be quadratic. Instead each distinct pattern becomes a `_Region`,
regions that overlap are found once through a trie of their folders, and each region remembers who
touched it since it was last written whole. A task then gets its edges from the regions it touches;
every other conflicting pair is ordered by a path of edges. See docs/design.md, "Promise 1".

Knows nothing of needs, verbs or time.
"""

from __future__ import annotations

from collections.abc import Sequence

from polylane.model import Claim
from polylane.plan.patterns import Segments, literal_prefix, meet, parse, within


class _Region:
    """A set of paths: one included pattern less the excluded ones."""

    __slots__ = ("excludes", "include", "key", "overlaps", "readers", "reads", "writers", "written")

    def __init__(self, include: Segments, excludes: tuple[Segments, ...]) -> None:
        self.include = include
        self.excludes = excludes
        #: Whether some task writes this region: two regions that are only read never conflict.
        self.written = False
        #: Regions that share paths with this one, itself among them.
        self.overlaps: list[_Overlap] = []
        #: Vertices that wrote into this region since it was last written whole, in order.
        self.writers: list[int] = []
        #: Vertices that read this very region since then.
        self.readers: list[int] = []
        #: How many have read it, ever.
        self.reads = 0

    def meets(self, other: _Region) -> bool:
        return (
            meet(self.include, other.include)
            and not any(within(other.include, exclude) for exclude in self.excludes)
            and not any(within(self.include, exclude) for exclude in other.excludes)
        )

    def holds(self, other: _Region) -> bool:
        return not self.excludes and within(other.include, self.include)


class _Overlap:
    """What a region knows of another one with which it shares paths."""

    __slots__ = ("other", "reads", "whole")

    def __init__(self, other: _Region, *, whole: bool) -> None:
        self.other = other
        #: Whether the region holds all of the other.
        self.whole = whole
        #: The other's reads that the last writer of the region came after.
        self.reads = 0


class _Node:
    """A folder in the trie of regions' folders."""

    __slots__ = ("children", "regions")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.regions: list[_Region] = []


class Conflicts:
    """Orders conflicting claims: call `add` for each in reference order, once `regions` are known.

    Vertices are numbers: those below ``len(claims)`` are claims, the others are *joins*, which
    stand for "all of these" and keep the number of edges linear.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        """``claims`` in reference order."""
        self._regions: dict[tuple[Segments, tuple[Segments, ...]], _Region] = {}
        self._lock_regions: dict[str, _Region] = {}
        self._touched = [
            (self._intern(claim.reads), self._intern(claim.writes) + self._locks(claim.locks))
            for claim in claims
        ]
        for _, writes in self._touched:
            for region in writes:
                region.written = True
        self._link()
        #: The vertices that each vertex comes after, claims and joins.
        self.before: list[list[int]] = [[] for _ in claims]
        #: All vertices so that each stands after those that it comes after.
        self.order: list[int] = []
        for vertex, (reads, writes) in enumerate(self._touched):
            self.before[vertex] = sorted(self._touch(vertex, reads, writes))
            self.order.append(vertex)

    def touches(self, claim: int) -> set[int]:
        """The regions, as numbers, that a claim reads or writes; locks are none."""
        reads, writes = self._touched[claim]
        return {id(region) for region in (*reads, *writes) if region.include}

    def spoils(self, claim: int) -> set[int]:
        """The regions, as numbers, that share paths with what a claim writes."""
        _, writes = self._touched[claim]
        return {id(o.other) for region in writes if region.include for o in region.overlaps}

    def _intern(self, patterns: Sequence[str]) -> list[_Region]:
        regions = []
        for i, pattern in enumerate(patterns):
            if pattern.startswith("!"):
                continue
            include = parse(pattern)
            later = (parse(p[1:]) for p in patterns[i + 1 :] if p.startswith("!"))
            excludes = tuple(sorted({e for e in later if meet(e, include)}))
            regions.append(self._region(include, excludes))
        return list(dict.fromkeys(regions))

    def _locks(self, names: Sequence[str]) -> list[_Region]:
        """A lock is a region that no path lies in, written whole by each holder."""
        found = []
        for name in dict.fromkeys(names):
            if name not in self._lock_regions:
                region = self._lock_regions[name] = _Region((), ())
                region.overlaps.append(_Overlap(region, whole=True))
            found.append(self._lock_regions[name])
        return found

    def _region(self, include: Segments, excludes: tuple[Segments, ...]) -> _Region:
        key = (include, excludes)
        region = self._regions.get(key)
        if region is None:
            region = self._regions[key] = _Region(include, excludes)
        return region

    def _link(self) -> None:
        """Find the regions that overlap: the folder of one lies in that of the other."""
        stack: list[tuple[_Node, tuple[_Region, ...]]] = [(self._trie(), ())]
        while stack:
            node, above = stack.pop()
            for i, region in enumerate(node.regions):
                for other in (*above, *node.regions[:i]):
                    if (region.written or other.written) and region.meets(other):
                        region.overlaps.append(_Overlap(other, whole=region.holds(other)))
                        other.overlaps.append(_Overlap(region, whole=other.holds(region)))
                region.overlaps.append(_Overlap(region, whole=True))
            inherited = (*above, *node.regions)
            stack.extend((child, inherited) for child in node.children.values())

    def _trie(self) -> _Node:
        root = _Node()
        for region in self._regions.values():
            node = root
            for segment in literal_prefix(region.include):
                node = node.children.setdefault(segment, _Node())
            node.regions.append(region)
        return root

    def _touch(self, vertex: int, reads: list[_Region], writes: list[_Region]) -> set[int]:
        before: set[int] = set()
        for region in reads:
            before.update(self._joined(region.writers))
        for region in writes:
            before.update(region.writers)
            for overlap in region.overlaps:
                if overlap.reads != overlap.other.reads:
                    overlap.reads = overlap.other.reads
                    before.update(self._joined(overlap.other.readers))
        for region in writes:
            for overlap in region.overlaps:
                other = overlap.other
                if overlap.whole:
                    other.writers = []
                    other.readers = []
                if other.writers[-1:] != [vertex]:
                    other.writers.append(vertex)
        for region in reads:
            region.readers.append(vertex)
            region.reads += 1
        return before

    def _joined(self, vertices: list[int]) -> list[int]:
        """Replace several vertices by one join, in place, so that the next asker gets one edge."""
        if len(vertices) > 1:
            join = len(self.before)
            self.before.append(vertices[:])
            self.order.append(join)
            vertices[:] = [join]
        return vertices
