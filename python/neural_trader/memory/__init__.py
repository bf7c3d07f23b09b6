"""What an engine remembers: decisions, what was seen when they were made, and how they ended."""

from neural_trader.memory.cards import Card, Outcome
from neural_trader.memory.columns import Filter
from neural_trader.memory.embedding import Embedding, FeatureEmbedding
from neural_trader.memory.memory import Memory
from neural_trader.memory.recall import Recall, Recalled, Weighting

__all__ = [
    "Card",
    "Embedding",
    "FeatureEmbedding",
    "Filter",
    "Memory",
    "Outcome",
    "Recall",
    "Recalled",
    "Weighting",
]
