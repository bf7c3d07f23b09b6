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
  trades: Trade[];
  orders: Order[];
  fills: Fill[];
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
