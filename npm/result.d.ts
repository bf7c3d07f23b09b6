/** The result document of a backtest, schema "neural-trader.result/1"; within /1 fields are only ever added. */

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
  digests: Record<string, string>;
  run: RunSettings;
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

/** What was run; everything here changes the hash. */
export interface RunSettings {
  strategy: string;
  parameters: Record<string, Json>;
  seed: number | null;
  cash: number | Decimal;
  currency: string;
  fill: "open" | "close";
  [setting: string]: Json;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Instrument {
  symbol: string;
  origin: "synthetic" | "file" | "memory";
  /** The path of a file, or how the data was made. */
  source: string;
  rows: number;
  start: Instant | null;
  end: Instant | null;
  interval_ns: number;
  tick: Decimal;
  lot: Decimal;
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

/** Columns of equal length; a long curve is thinned to its extremes, and `total` is its full length. */
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
  /** Net of fees and slippage. */
  pnl: number;
  return: number | null;
  fees: number;
  bars: number;
  entry_order: number;
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
  quantity: number;
  limit: number | null;
  stop: number | null;
  trail: number | null;
  filled: number;
  cancelled: number;
  state: "working" | "filled" | "cancelled" | "expired" | "rejected";
  reason: string;
}

export interface Fill {
  time: Instant;
  symbol: string;
  side: "buy" | "sell";
  quantity: number;
  price: number;
  /** The price before slippage. */
  reference: number;
  fee: number;
  slippage: number;
  liquidity: "maker" | "taker";
  order: number;
}
