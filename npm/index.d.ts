import type { BacktestResult, ReplayResult } from "./result.js";

export type * from "./result.js";

export type Parameters = Record<string, string | number | boolean>;

/** What to test and how; each option is the flag of the same name of `neural-trader backtest`. */
export interface BacktestOptions {
  /** A strategy of the library by its name, or a class in a file: `rsi.py` or `rsi.py:Rsi`. */
  strategy?: string;
  /** A file or folder of market data; a synthetic market if there is none. */
  data?: string;
  symbols?: string | string[];
  start?: string | Date;
  end?: string | Date;
  /** The deposit in the account currency. */
  cash?: number | string;
  currency?: string;
  /** A rate (0.001, "0.1%", "10bps"), or "MAKER/TAKER" or "MAKER/TAKER/FIXED". */
  fee?: number | string;
  /** A rate (0.0002, "2bps"), "1tick", "0.5spread", or terms joined by "+". */
  slippage?: number | string;
  /** The largest exposure as a multiple of equity. */
  leverage?: number | string;
  /** A decision at the close of a bar fills at the next bar's open, unless this says "close". */
  fill?: "open" | "close";
  /** Whether a price must touch a limit order, or go through it, to fill it. */
  limit?: "touch" | "through";
  /** The largest share of a bar's volume that orders may take. */
  volumeCap?: number | string;
  closeAtEnd?: true;
  leaveOpen?: true;
  /** Parameters of the strategy. */
  set?: Parameters;
  /** Risk rules on top of the strategy, by name, such as `{ volatility_target: { annual: 0.2 } }`. */
  overlay?: Record<string, Parameters>;
  /** The seed of the synthetic markets. */
  seed?: number;
  /** The conventions of another engine, for comparison with it. */
  like?: "backtesting.py" | "vectorbt";
  /** A configuration file; options win over it. */
  config?: string;
  /** Where to write the report as one HTML file. */
  html?: string;
}

/** What to replay and how; each option is the flag of the same name of `neural-trader replay`. */
export interface ReplayOptions {
  /** A captured session in one file or several, a file of records, or `catalog:VENUE/INSTRUMENT`. [a synthetic market] */
  data?: string | string[];
  /** Whose session it is, such as "binance". */
  venue?: string;
  /** A strategy of the library by its name, or a class in a file: `maker.py` or `maker.py:Maker`. */
  strategy?: string;
  symbols?: string | string[];
  /** The seed of the synthetic market. */
  seed?: number;
  /** The deposit in the account currency. */
  cash?: number | string;
  currency?: string;
  /** A rate (0.0005, "0.05%", "5bps"), or "MAKER/TAKER" or "MAKER/TAKER/FIXED". */
  fee?: number | string;
  /** The largest exposure as a multiple of equity. */
  leverage?: number | string;
  /** The time of orders to the venue and of answers back: "10ms", or "10ms/5ms". */
  latency?: string;
  /** The time of records from the venue to here, where it is not to be as recorded. */
  feed?: string;
  /** The model of the place in a queue, such as "risk_averse" or "power:3". */
  queue?: string;
  /** Orders at rest fill wholly or not at all. */
  whole?: true;
  selfTrade?: "cancel_newest" | "cancel_oldest" | "cancel_both" | "off";
  /** The time between samples of equity. */
  sample?: string;
  /** Runs it under kinder and stricter assumptions, too. */
  ladder?: true;
  /** The interval of the bars of the ladder's first rungs. */
  ladderBar?: string;
  /** Parameters of the strategy. */
  set?: Parameters;
  /** Where to write the report as one HTML file. */
  html?: string;
}

export interface RunOptions {
  /** The folder that relative paths, and a `.venv`, are looked for in. */
  cwd?: string;
  /** Variables on top of those of this process. */
  env?: Record<string, string | undefined>;
  /** Ends the engine in good order, by SIGTERM; the promise is rejected with the signal's reason once it has ended. */
  signal?: AbortSignal;
  /** Gets the lines of a first start's set-up, which otherwise go to standard error. */
  onProgress?: (line: string) => void;
}

export interface RunResult {
  exitCode: 0;
  stdout: string;
  stderr: string;
}

/** Runs a backtest in a process of its own, and answers with its result document. */
export function backtest(options?: BacktestOptions, runOptions?: RunOptions): Promise<BacktestResult>;

/** Replays recorded books and trades in a process of its own, and answers with the result document. */
export function replay(options?: ReplayOptions, runOptions?: RunOptions): Promise<ReplayResult>;

/** Runs one command of the engine, such as `["data", "info", "bars.parquet"]`. */
export function run(args: string[], options?: RunOptions): Promise<RunResult>;

/** The version of this package, which is that of the engine too. */
export function version(): string;

/** A set-up that failed, or an engine that ended with a code other than 0; the message is one line for a person. */
export class NeuralTraderError extends Error {
  readonly name: "NeuralTraderError";
  /** 1 the run failed, 2 wrong use, 3 bad data or configuration, 4 a risk stop or verification; above 128 a signal. */
  readonly exitCode: number;
  /** The signal that ended the engine, if one did. */
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}
