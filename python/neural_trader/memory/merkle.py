"""A certificate of a set of cards: one hash of all, and a short proof that a card is among them.

Leaves and nodes are hashed with different prefixes, so that no node can be passed off as a leaf (RFC 6962, 2.1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree over leaves in their order; that of no leaves is SHA-256 of nothing."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return _leaf(leaves[0])
    split = _split(len(leaves))
    return _node(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def merkle_proof(leaves: Sequence[bytes], at: int) -> list[bytes]:
    """The neighbours from a leaf up to the root, nearest first."""
    if not 0 <= at < len(leaves):
        raise IndexError(f"there is no leaf {at} among {len(leaves)}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if at < split:
        return [*merkle_proof(leaves[:split], at), merkle_root(leaves[split:])]
    return [*merkle_proof(leaves[split:], at - split), merkle_root(leaves[:split])]


def is_proved(root: bytes, leaf: bytes, at: int, count: int, proof: Sequence[bytes]) -> bool:
    """Whether a proof leads from a leaf, the ``at``-th of ``count``, to the root."""
    if not 0 <= at < count:
        return False
    sides = []
    while count > 1:
        split = _split(count)
        is_left = at < split
        sides.append(is_left)
        at, count = (at, split) if is_left else (at - split, count - split)
    if len(sides) != len(proof):
        return False
    node = _leaf(leaf)
    for is_left, neighbour in zip(reversed(sides), proof, strict=True):
        node = _node(node, neighbour) if is_left else _node(neighbour, node)
    return node == root


def _split(count: int) -> int:
    """The largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
