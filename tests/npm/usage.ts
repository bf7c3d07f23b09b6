/** What a user in TypeScript writes: this file is only type-checked, against the published declarations. */

import { backtest, NeuralTraderError, replay, run, version, type BacktestResult, type Trade } from "neural-trader";

export async function usage(signal: AbortSignal): Promise<number> {
  try {
    const result: BacktestResult = await backtest(
      { strategy: "sma_cross", symbols: ["BTC-USDT"], start: new Date(0), fee: "10bps", set: { fast: 10, both: true } },
      { signal, cwd: ".", env: { NEURAL_TRADER_OFFLINE: "1" }, onProgress: (line) => line.length },
    );
    const trades: Trade[] = result.trades;
    const sharpe: number | null = result.stats["Sharpe Ratio"];
    const quality = (await replay({ data: ["a.gz", "b.gz"], venue: "binance", latency: "5ms", ladder: true })).fill_quality;
    const { stdout } = await run(["version", "--json"]);
    return trades.length + quality.markouts.length + (sharpe ?? 0) + stdout.length + version().length;
  } catch (error) {
    if (error instanceof NeuralTraderError) return error.exitCode + error.stderr.length + (error.signal?.length ?? 0);
    throw error;
  }
}

// @ts-expect-error A misspelled option is found before the engine is asked.
export const misspelled = backtest({ stratgy: "sma_cross" });

// @ts-expect-error Bars are not replayed.
export const barred = replay({ slippage: "2bps" });

// @ts-expect-error Only the two fill rules exist.
export const unknownFill = backtest({ fill: "best" });
