"""Trees of hashes: the published roots, and proofs that lead to no other."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_trader.memory.merkle import is_proved, merkle_proof, merkle_root

# The leaves and the roots of the first n of them in the test vectors of Certificate Transparency (RFC 6962):
# github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("count", ROOTS)
def test_roots_are_those_of_the_published_trees(count):
    assert merkle_root(LEAVES[:count]).hex() == ROOTS[count]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert merkle_root([]) == hashlib.sha256(b"").digest()


@given(
    leaves=st.lists(st.binary(max_size=4), min_size=1, max_size=40), at=st.integers(0, 39), other=st.binary(max_size=4)
)
def test_a_proof_leads_to_the_root_from_its_own_leaf_and_place_only(leaves, at, other):
    at %= len(leaves)
    root, proof = merkle_root(leaves), merkle_proof(leaves, at)
    assert is_proved(root, leaves[at], at, len(leaves), proof)
    assert is_proved(root, other, at, len(leaves), proof) == (other == leaves[at])
    assert not is_proved(root, leaves[at], at, len(leaves), [*proof, b"x" * 32])
    for place, leaf in enumerate(leaves):
        if leaf != leaves[at] or place == len(leaves):
            assert not is_proved(root, leaf, at, len(leaves), proof)
    assert not is_proved(root, leaves[at], len(leaves), len(leaves), proof)
