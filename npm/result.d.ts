/** The result document of a backtest, schema "neural-trader.result/1", as docs/result-schema.md describes it. */

/** An instant in UTC, as RFC 3339 with up to nine decimals of a second. */
export type Instant = string;

/** A decimal number as text, where a float could not hold it exactly. */
export type Decimal = string;

export interface BacktestResult {
  schema: "neural-trader.result/1";
  /** The version of the engine. */
  version: string;
  /** The hash of the whole run: the same inputs and settings give the same one on every machine. */
  hash: string;
  /** SHA-256 of each part that the hash binds together. */
  digests: Record<"inputs" | "parameters" | "orders" | "fills" | "postings", string>;
  run: RunSettings;
  /** Where strategy and data came from, so that the run can be repeated; not part of the hash. */
  origin: Origin;
  /** The instruments, one entry each. */
  data: Instrument[];
  stats: Stats;
  /** For each statistic that is null, the reason. */
  undefined: Record<string, string>;
  /** Buy and hold on the same bars, with the statistics that an equity curve alone has. */
  benchmark: { stats: Partial<Stats>; undefined: Record<string, string> } | null;
  equity: EquityCurve;
  tables: Record<"trades" | "orders" | "fills", TableExtent>;
  /** What the result is worth. */
  honesty: Honesty;
  /** Losses of a day, exposure, scenarios, and what earned and cost how much. */
  risk: Risk;
  trades: Trade[];
  orders: Order[];
  fills: Fill[];
  /** What became of an account that is more than one currency and spot instruments. */
  account?: {
    cash: Record<string, number>;
    funding: Record<string, number>;
    interest: Record<string, number>;
    liquidations: number;
  };
  /** The strategy's own figures, where it reported any. */
  figures?: Record<string, number | string | boolean | null>;
  warnings: string[];
}

/** Everything beside the data that decides the outcome. */
export interface RunSettings {
  strategy: string;
  parameters: Record<string, Json>;
  /** Risk overlays in the order in which they apply. */
  overlays: ({ overlay: string } & Record<string, Json>)[];
  cash: Decimal;
  currency: string;
  /** Rates of the notional (0.001 is 0.1 %), and an amount per fill. */
  fee: { maker: Decimal; taker: Decimal; fixed: Decimal };
  slippage: string;
  fill: "open" | "close";
  limit: "touch" | "through";
  leverage: Decimal;
  /** The share of a bar's volume that may be filled. */
  volume_cap: Decimal | null;
  close_at_end: boolean;
  seed: number | null;
  like: string | null;
}

export interface Origin {
  /** The strategy as the caller named it, and its class. */
  strategy: string | null;
  class: string;
  /** Of the file of a strategy of the user's; null for one of the library. */
  source_sha256: string | null;
  data: string | null;
  symbols: string[] | null;
  start: string | null;
  end: string | null;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Instrument {
  symbol: string;
  origin: "synthetic" | "file" | "memory";
  /** The path of a file, or a description of the generator. */
  source: string;
  rows: number;
  start: Instant | null;
  end: Instant | null;
  /** The usual distance between bars; 0 if there is none. */
  interval_ns: number;
  tick: Decimal;
  lot: Decimal;
  /** What was recognised, inferred or rounded on the way in. */
  notes: string[];
}

/** Numbers, or null where a statistic is undefined; durations are in seconds. */
export interface Stats {
  Start: Instant | null;
  End: Instant | null;
  Duration: number | null;
  "Exposure Time [%]": number | null;
  "Equity Final": number | null;
  "Equity Peak": number | null;
  "Return [%]": number | null;
  "Buy & Hold Return [%]": number | null;
  "CAGR [%]": number | null;
  "Volatility (Ann.) [%]": number | null;
  "Sharpe Ratio": number | null;
  "Sortino Ratio": number | null;
  "Calmar Ratio": number | null;
  "Max. Drawdown [%]": number | null;
  "Max. Drawdown Duration": number | null;
  "Turnover (Ann.)": number | null;
  "# Trades": number | null;
  "# Open Trades": number | null;
  "Win Rate [%]": number | null;
  "Profit Factor": number | null;
  "Expectancy [%]": number | null;
  SQN: number | null;
  "Best Trade [%]": number | null;
  "Worst Trade [%]": number | null;
  "Avg. Trade [%]": number | null;
  "Avg. Hold": number | null;
  "Fees Paid": number | null;
  "Slippage Paid": number | null;
}

/** Columns of equal length: at most 2,000 points of a curve whose full length is `total`, its extremes among them. */
export interface EquityCurve {
  total: number;
  given: number;
  deposit: number;
  time: Instant[];
  equity: (number | null)[];
  /** The fraction below the running peak, never above 0. */
  drawdown: (number | null)[];
  benchmark: (number | null)[] | null;
}

export interface TableExtent {
  total: number;
  given: number;
  columns: string[];
}

export interface Trade {
  symbol: string;
  side: "long" | "short";
  quantity: number;
  entry_time: Instant;
  entry_price: number;
  /** Null while the trade is open, like the price and the order of its exit. */
  exit_time: Instant | null;
  exit_price: number | null;
  /** Net of fees and slippage; an open trade is marked. */
  pnl: number;
  return: number;
  fees: number;
  bars: number;
  entry_order: number | null;
  exit_order: number | null;
}

export interface Order {
  id: number;
  parent: number | null;
  time: Instant;
  symbol: string;
  side: "buy" | "sell";
  kind: "market" | "limit" | "stop" | "stop_limit" | "trailing_stop";
  time_in_force: "gtc" | "gtd" | "day";
  /** When a gtd order expires. */
  expires: Instant | null;
  quantity: number;
  limit: number | null;
  stop: number | null;
  trail: number | null;
  filled: number;
  cancelled: number;
  state: "working" | "filled" | "cancelled" | "expired" | "rejected";
  reason: string | null;
}

export interface Fill {
  time: Instant;
  symbol: string;
  side: "buy" | "sell";
  quantity: number;
  price: number;
  /** Where the market was; the difference to the price is slippage. */
  reference: number;
  fee: number;
  slippage: number;
  liquidity: "maker" | "taker";
  /** Null if ruin or the end of the data closed a position. */
  order: number | null;
}

export interface Honesty {
  verdict: "invalid" | "undefined" | "no_edge" | "luck" | "distinct";
  /** The same in one sentence. */
  sentence: string;
  /** What the ledger of trials says; null if the run was not counted. */
  trials: { count: number; sharpe_variance: number; over: "project" | "data" } | null;
  sharpe: {
    /** The probability that the true Sharpe ratio is above 0. */
    probabilistic: number | null;
    /** The probability that it is above what the best of so many trials shows without skill. */
    deflated: number | null;
    expected_best: number | null;
    years: number;
    years_needed: number | null;
    returns: number | null;
    skewness: number | null;
    kurtosis: number | null;
  };
  /** Of the intervals. */
  confidence: number;
  intervals: Record<string, [number, number] | null>;
  /** Deepest drawdown of the closed trades in other orders, percent. */
  drawdown_orders: { median: number; p95: number } | null;
  look_ahead: LookAhead | null;
  warm_up: WarmUp | null;
}

export interface LookAhead {
  /** Null if there was nothing to check. */
  passed: boolean | null;
  checked: number;
  times_ns: number[];
  /** The first decision that changed with another future. */
  changed: string | null;
  skipped: string | null;
}

export interface WarmUp {
  passed: boolean;
  /** Bars until a run that begins later decides the same. */
  bars: number | null;
  tried: number;
  compared: number;
  stated: number | null;
}

export interface Risk {
  days: number;
  /** Percent of equity: positive is a loss. */
  tails: {
    method: "historical" | "normal" | "cornish_fisher" | "monte_carlo";
    confidence: number;
    value_at_risk: number;
    expected_shortfall: number;
  }[];
  instruments: { symbol: string; trades: number; pnl: number; fees: number }[];
  /** % of equity over the ends of days; empty for accounts with contracts or currencies. */
  exposure: Partial<Record<"gross" | "net" | "long" | "short", { mean: number; largest: number; last: number }>>;
  effective: number | null;
  /** Correlations of daily returns. */
  related: { symbol: string; strategy: number | null; beta: number | null; others: (number | null)[] }[];
  /** What scenarios lose, % of equity. */
  stress: { scenario: string; mean: number; largest: number; since: string | null }[];
  signals: {
    side: "long" | "short";
    exit: "signal" | "target" | "stop" | "trailing stop" | "end" | "open";
    trades: number;
    wins: number;
    pnl: number;
  }[];
  costs: { symbol: string; traded: number; fees: number; slippage: number }[];
  /** What trades earned before fees and slippage. */
  gross: number;
}

/** The result document of a replay, as docs/result-schema.md describes it under "Replays". */
export interface ReplayResult extends Omit<
  BacktestResult, "run" | "origin" | "orders" | "fills" | "honesty" | "risk"
> {
  run: ReplaySettings;
  origin: ReplayOrigin;
  orders: ReplayOrder[];
  fills: ReplayFill[];
  fill_quality: FillQuality;
  /** The same strategy from the kindest assumption to the strictest, where that was asked for. */
  ladder?: Rung[];
}

export interface ReplaySettings extends Pick<
  RunSettings, "strategy" | "parameters" | "cash" | "currency" | "fee" | "leverage"
> {
  /** The time of orders to the venue and of answers back. */
  latency: string;
  /** The time of records from the venue to here; null where it is as recorded. */
  feed: string | null;
  queue: string;
  whole: boolean;
  self_trade: "cancel_newest" | "cancel_oldest" | "cancel_both" | "off";
  sample: string;
  /** What takes leave on the price, where that was asked for: `2bps/500ms`. */
  impact?: string;
  /** The records that made the book. */
  depth: "levels" | "quotes" | "orders";
  trades: "trade" | "aggregate_trade";
}

export interface ReplayOrigin extends Omit<Origin, "start" | "end"> {
  files: string[] | null;
  venue: string | null;
  /** Seed and length of the synthetic market. */
  seed: number | null;
  duration: string | null;
  /** The interval of the bars of the ladder; null where none was asked for. */
  ladder_bar: string | null;
}

export interface ReplayOrder extends Omit<Order, "kind" | "time_in_force" | "state"> {
  kind: Order["kind"] | "market_if_touched";
  time_in_force: Order["time_in_force"] | "ioc" | "fok";
  state: Order["state"] | "sent";
  /** By which the strategy knew it; null if it was never told of it. */
  number: number | null;
  accepted: Instant | null;
  ended: Instant | null;
  /** The estimated quantity before it when it came to rest. */
  queue_ahead: number | null;
  post_only: boolean;
  reduce_only: boolean;
  /** The part that it showed; null for all of it. */
  display: number | null;
}

export interface ReplayFill extends Fill {
  /** The best prices that the venue displayed then. */
  bid: number | null;
  ask: number | null;
  /** The `number` of its order. */
  order_number: number | null;
}

/** Null where nothing could be measured. */
export interface FillQuality {
  fills: number;
  /** The part of the value that filled at rest. */
  maker_share: number | null;
  /** Paid against the middle, in basis points; below 0 if earned. */
  maker_effective_bps: number | null;
  taker_effective_bps: number | null;
  queue_seconds_median: number | null;
  queue_seconds_p90: number | null;
  orders_accepted: number;
  /** The part of them that was cancelled or expired without a fill. */
  cancel_ratio: number | null;
  /** The mean gain some time after the fills, in basis points. */
  markouts: { seconds: number; gain_bps: number | null; fills: number }[];
}

export interface Rung {
  assumption: string;
  profit: number;
  fills: number;
  maker_share: number | null;
  markout_bps: number | null;
  is_run: boolean;
}
