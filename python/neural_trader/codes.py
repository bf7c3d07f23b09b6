"""Names of the engine's codes, in the order of docs/fill-rules.md, section 10."""

KINDS = ("market", "limit", "stop", "stop_limit", "trailing_stop", "market_if_touched")
TIMES_IN_FORCE = ("gtc", "gtd", "day", "ioc", "fok")
STATES = ("working", "filled", "cancelled", "expired", "rejected", "sent")
REASONS = (
    "",
    "user",
    "margin",
    "replaced",
    "sibling",
    "nothing to reduce",
    "ruin",
    "time",
    "size",
    "no price",
    "halted",
    "price",
    "reached",
    "refused",
    "no liquidity",
    "would take",
    "self trade",
    "liquidation",
)
ACCOUNTS = ("cash", "capital", "trading", "slippage", "fees", "position", "entry", "funding", "interest")
