"""How points are kept in memory: whole, halved, as bytes or as bits. What is lost is measured by ``memory stats``."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neural_trader.errors import UsageError
from neural_trader.memory.embedding import LIMIT, Vectors

Floats = NDArray[np.float32]
_BLOCK = 65_536
"""Rows that are widened at a time, so that a scan of small codes needs little memory."""


class Codes(Protocol):
    """A way to keep points: each row of codes stands for a point ``x``, and tells ``|x|^2`` and ``x . query`` of it."""

    dtype: Any
    is_exact: bool
    """Whether codes are the points themselves, so that distances need not be measured again."""

    def width(self, dimensions: int) -> int:
        """Numbers in a row of codes."""

    def encode(self, vectors: Vectors) -> NDArray[Any]:
        """Rows of codes."""

    def lengths(self, codes: NDArray[Any]) -> Floats:
        """The squared length of each row."""

    def products(self, codes: NDArray[Any], query: Vectors) -> Floats:
        """The product of each row with a query."""

    def graph(self, dimensions: int, links: int) -> Any:
        """An empty index of faiss over such codes."""

    def for_graph(self, vectors: Vectors) -> NDArray[Any]:
        """Points as that index wants them."""


class Float32:
    """Points as they are."""

    dtype: Any = np.float32
    is_exact = True

    def width(self, dimensions: int) -> int:
        return dimensions

    def encode(self, vectors: Vectors) -> NDArray[Any]:
        return vectors

    def lengths(self, codes: NDArray[Any]) -> Floats:
        lengths: Floats = np.einsum("ij,ij->i", codes, codes)
        return lengths

    def products(self, codes: NDArray[Any], query: Vectors) -> Floats:
        products: Floats = codes @ query
        return products

    def graph(self, dimensions: int, links: int) -> Any:
        return faiss().IndexHNSWFlat(dimensions, links)

    def for_graph(self, vectors: Vectors) -> NDArray[Any]:
        return vectors


class _Widened(Float32):
    """Smaller numbers, which are widened block by block when they are looked at."""

    is_exact = False

    def _wide(self, codes: NDArray[Any]) -> Floats:
        return codes.astype(np.float32)

    def lengths(self, codes: NDArray[Any]) -> Floats:
        blocks = [self._wide(codes[start : start + _BLOCK]) for start in range(0, len(codes), _BLOCK)]
        return np.concatenate([super(_Widened, self).lengths(block) for block in blocks]) if blocks else _NONE

    def products(self, codes: NDArray[Any], query: Vectors) -> Floats:
        found = np.empty(len(codes), dtype=np.float32)
        for start in range(0, len(codes), _BLOCK):
            found[start : start + _BLOCK] = self._wide(codes[start : start + _BLOCK]) @ query
        return found


class Float16(_Widened):
    """Half of the memory; eleven bits of each number."""

    dtype = np.float16

    def encode(self, vectors: Vectors) -> NDArray[Any]:
        return vectors.astype(np.float16)

    def graph(self, dimensions: int, links: int) -> Any:
        return faiss().IndexHNSWSQ(dimensions, faiss().ScalarQuantizer.QT_fp16, links)


class Int8(_Widened):
    """A quarter of the memory: what lies within the limit of embeddings, in 255 steps."""

    dtype = np.int8
    step = np.float32(LIMIT / 127)

    def encode(self, vectors: Vectors) -> NDArray[Any]:
        steps: NDArray[np.int8] = np.clip(np.rint(vectors / self.step), -127, 127).astype(np.int8)
        return steps

    def _wide(self, codes: NDArray[Any]) -> Floats:
        return codes * self.step

    def graph(self, dimensions: int, links: int) -> Any:
        return faiss().IndexHNSWSQ(dimensions, faiss().ScalarQuantizer.QT_8bit_direct_signed, links)

    def for_graph(self, vectors: Vectors) -> NDArray[Any]:
        return self.encode(vectors).astype(np.float32)


class Binary:
    """One bit of each number, its sign: a thirty-second of the memory, for a first choice that is measured again."""

    dtype = np.uint8
    is_exact = False

    def width(self, dimensions: int) -> int:
        return (dimensions + 7) // 8

    def encode(self, vectors: Vectors) -> NDArray[Any]:
        return np.packbits(vectors > 0, axis=1)

    def lengths(self, codes: NDArray[Any]) -> Floats:
        return np.zeros(len(codes), dtype=np.float32)

    def products(self, codes: NDArray[Any], query: Vectors) -> Floats:
        # So that lengths - 2 * products, which is a squared distance elsewhere, is the number of bits that differ.
        differing: Floats = _ONES[codes ^ self.encode(query[None])].sum(axis=1, dtype=np.float32)
        return differing * np.float32(-0.5)

    def graph(self, dimensions: int, links: int) -> Any:
        return faiss().IndexBinaryHNSW(8 * self.width(dimensions), links)

    def for_graph(self, vectors: Vectors) -> NDArray[Any]:
        return self.encode(vectors)


QUANTISATIONS: dict[str, Codes] = {"float32": Float32(), "float16": Float16(), "int8": Int8(), "binary": Binary()}
_ONES = np.array([value.bit_count() for value in range(256)], dtype=np.uint8)
_NONE: Floats = np.empty(0, dtype=np.float32)


def faiss() -> Any:
    """The package of the graph, whose own stubs do not know half of it; it comes with the extra ``memory``."""
    return import_module("faiss")


def codes_named(name: str) -> Codes:
    """The codes of a name; UsageError for another."""
    if name not in QUANTISATIONS:
        raise UsageError(f"quantisation {name!r}: one of {', '.join(QUANTISATIONS)}")
    return QUANTISATIONS[name]
