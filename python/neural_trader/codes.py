"""Names of the engine's codes, in the order of docs/fill-rules.md, section 10."""

KINDS = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES_IN_FORCE = ("gtc", "gtd", "day")
STATES = ("working", "filled", "cancelled", "expired", "rejected")
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
)
ACCOUNTS = ("cash", "capital", "trading", "slippage", "fees", "position")
