"use strict";
// Draws the charts of the report and makes the trades table sortable. Reads two JSON elements of the page:
// #result (schema neural-trader.result/1) and #charts (candles in columns). Text reaches the page as textContent only.
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const byId = (id) => document.getElementById(id);
  const result = read("result");
  const charts = read("charts");
  const root = document.documentElement;
  const library = window.LightweightCharts;

  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const grouped = (value, decimals) =>
    value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }).replace("-", "−");
  const signed = (value, decimals) => (value > 0 ? "+" : "") + grouped(value, decimals);
  const clock = (time) => time.replace("T", " ").replace(/:00Z$|Z$/, "");
  const clockOf = (seconds) => clock(new Date(seconds * 1000).toISOString().replace(".000Z", "Z"));
  const toneOf = (value) => (value > 0 ? "gain" : value < 0 ? "loss" : "");
  const secondsOf = (time) => {
    // Date.parse keeps milliseconds only, so the digits of the second are read apart.
    const [whole, fraction] = time.replace("Z", "").split(".");
    return Date.parse(whole + "Z") / 1000 + (fraction ? Number("0." + fraction) : 0);
  };

  // ------------------------------------------------------------------ theme
  const storage = {
    // In a notebook's frame storage may be refused; the theme then lasts as long as the page.
    get() { try { return localStorage.getItem("neural-trader-theme"); } catch { return null; } },
    set(value) { try { localStorage.setItem("neural-trader-theme", value); } catch { /* see above */ } },
  };
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  const color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const faded = (name, alpha) => color(name) + Math.round(alpha * 255).toString(16).padStart(2, "0");
  const repaints = [];
  const repaint = () => {
    byId("theme").textContent = isDark() ? "Light" : "Dark";
    for (const paint of repaints) paint();
  };
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    storage.set(root.dataset.theme);
    repaint();
  });
  prefersDark.addEventListener("change", repaint);

  // ------------------------------------------------------------------ hash
  byId("copy").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      // Without permission for the clipboard the hash is selected, one key press from being copied.
      getSelection().selectAllChildren(byId("hash"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });

  // ------------------------------------------------------------------ charts
  const chartLook = () => ({
    layout: {
      background: { color: "transparent" }, textColor: color("soft"), fontSize: 12, attributionLogo: false,
      fontFamily: getComputedStyle(document.body).fontFamily,
      panes: { separatorColor: color("line"), separatorHoverColor: color("line"), enableResize: false },
    },
    grid: { vertLines: { visible: false }, horzLines: { color: color("line") } },
    rightPriceScale: { borderVisible: false }, timeScale: { borderColor: color("line") },
    crosshair: {
      mode: library.CrosshairMode.Normal,
      vertLine: { color: color("faint"), labelBackgroundColor: color("soft") },
      horzLine: { color: color("faint"), labelBackgroundColor: color("soft") },
    },
  });
  const makeChart = (container) => library.createChart(container, {
    ...chartLook(),
    autoSize: true, width: container.clientWidth, height: container.clientHeight,
    localization: { timeFormatter: clockOf },
    handleScroll: { vertTouchDrag: false, mouseWheel: false },
    timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.002, borderColor: color("line") },
  });
  const legendItem = (name, value, swatch) => {
    const item = element("span");
    if (swatch) {
      const mark = element("i", "swatch");
      mark.style.background = swatch;
      item.append(mark);
    }
    item.append(name + " ");
    item.append(element("b", "", value));
    return item;
  };

  /** Shows all points of a chart, and again when its width changes, until the reader zooms or moves it. */
  const makeFit = (chart, container, countOf) => {
    let fitted = true;
    const fit = () => {
      // Some 20 pixels of air at both ends, so that the outer labels of the time axis are not cut.
      const air = Math.max(0.5, (countOf() * 20) / Math.max(1, container.clientWidth - 100));
      fitted = true;
      chart.timeScale().setVisibleLogicalRange({ from: -air, to: countOf() - 1 + air });
    };
    const release = () => { fitted = false; };
    // The wheel belongs to the page until the reader clicks into the chart, or a long page could not be scrolled.
    const takeWheel = (taken) => chart.applyOptions({ handleScale: { mouseWheel: taken }, handleScroll: { mouseWheel: taken } });
    takeWheel(false);
    container.addEventListener("pointerdown", () => { release(); takeWheel(true); }, { passive: true });
    container.addEventListener("pointerleave", () => takeWheel(false), { passive: true });
    chart.timeScale().subscribeSizeChange(() => { if (fitted) fit(); });
    return { fit, release };
  };

  /** Points of a curve with strictly rising times, as the library demands; of equal times the last one counts. */
  const rising = (times, values) => {
    const points = [];
    times.forEach((time, index) => {
      if (values[index] === null) return;
      const last = points[points.length - 1];
      if (last && last.time >= time) last.value = values[index];
      else points.push({ time, value: values[index] });
    });
    return points;
  };

  const drawEquity = () => {
    const { time, equity, drawdown, benchmark } = result.equity;
    if (!time.length) return;
    const container = byId("equity-chart");
    const times = time.map(secondsOf);
    const largest = Math.max(...equity.filter((value) => value !== null).map(Math.abs));
    const decimals = largest >= 1000 ? 0 : largest >= 10 ? 2 : 6;
    const chart = makeChart(container);
    const money = { type: "custom", formatter: (value) => grouped(value, decimals), minMove: 10 ** -decimals };
    const percent = { type: "custom", formatter: (value) => grouped(value * 100, 1) + " %", minMove: 0.0001 };
    const quiet = { priceLineVisible: false, lastValueVisible: false, crosshairMarkerRadius: 3 };
    const held = benchmark && chart.addSeries(library.LineSeries, { ...quiet, lineWidth: 1.5, priceFormat: money });
    const curve = chart.addSeries(library.AreaSeries, { ...quiet, lineWidth: 2, priceFormat: money });
    const below = chart.addSeries(library.AreaSeries, { ...quiet, lineWidth: 1, priceFormat: percent, invertFilledArea: true }, 1);
    if (held) held.setData(rising(times, benchmark));
    const points = rising(times, equity);
    curve.setData(points);
    below.setData(rising(times, drawdown));
    below.priceScale().applyOptions({ scaleMargins: { top: 0.09, bottom: 0.06 } });
    chart.panes()[0].setStretchFactor(3);
    chart.panes()[1].setStretchFactor(1);
    repaints.push(() => {
      chart.applyOptions(chartLook());
      if (held) held.applyOptions({ color: color("benchmark") });
      curve.applyOptions({ lineColor: color("strategy"), topColor: faded("strategy", 0.16), bottomColor: faded("strategy", 0) });
      below.applyOptions({ lineColor: color("loss"), topColor: faded("loss", 0.05), bottomColor: faded("loss", 0.3) });
    });

    const legend = byId("equity-legend");
    const index = new Map(times.map((at, position) => [at, position]));
    const show = (position) => {
      const amount = (value) => (value === null ? "n/a" : grouped(value, Math.max(2, decimals)));
      const items = [
        legendItem("Strategy", amount(equity[position]), color("strategy")),
        ...(benchmark ? [legendItem("Buy & hold", amount(benchmark[position]), color("benchmark"))] : []),
        legendItem("Drawdown", drawdown[position] === null ? "n/a" : grouped(drawdown[position] * 100, 2) + " %", color("loss")),
        element("span", "", clock(time[position])),
      ];
      legend.replaceChildren(...items);
    };
    const atEnd = () => show(time.length - 1);
    chart.subscribeCrosshairMove((event) => {
      const position = event.time === undefined ? undefined : index.get(event.time);
      if (position === undefined) atEnd();
      else show(position);
    });
    repaints.push(atEnd);
    const { fit } = makeFit(chart, container, () => points.length);
    byId("equity-fit").addEventListener("click", fit);
    byId("scale").addEventListener("click", (event) => {
      const log = event.currentTarget.getAttribute("aria-pressed") !== "true";
      event.currentTarget.setAttribute("aria-pressed", String(log));
      chart.priceScale("right", 0).applyOptions({
        mode: log ? library.PriceScaleMode.Logarithmic : library.PriceScaleMode.Normal,
      });
    });
    fit();
  };

  /** The last index whose value is at most `wanted`, or 0. */
  const indexAtMost = (ascending, wanted) => {
    let low = 0;
    let high = ascending.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (ascending[middle] <= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  /** Draws trades on the canvas of a series: an arrow at the entry, a dot at the exit, a line between them. */
  class TradeMarks {
    constructor(container) { this.container = container; this.trades = []; this.chosen = null; }
    attached({ chart, series, requestUpdate }) { Object.assign(this, { chart, series, requestUpdate }); }
    set(trades) { this.trades = trades; this.choose(null); }
    choose(trade) { this.chosen = trade; if (this.requestUpdate) this.requestUpdate(); }
    paneViews() { return [{ zOrder: () => "top", renderer: () => ({ draw: (target) => this.draw(target) }) }]; }

    draw(target) {
      const range = this.chart.timeScale().getVisibleLogicalRange();
      if (!range) return;
      const visible = this.trades.filter((trade) => trade.exitIndex >= range.from && trade.entryIndex <= range.to);
      this.container.dataset.marked = String(visible.length);
      target.useMediaCoordinateSpace(({ context, mediaSize }) => {
        // Arrows shrink as they come closer; where they would hide the price that they mark, the lines stand alone.
        const room = mediaSize.width / Math.max(1, visible.length);
        const size = room < 2.8 ? 0 : Math.max(2.2, Math.min(5.5, room * 0.3));
        for (const trade of visible) this.drawOne(context, trade, size);
        if (this.chosen) this.drawOne(context, this.chosen, 7, true);
      });
    }

    drawOne(context, trade, size, strong) {
      const scale = this.chart.timeScale();
      const [x1, x2] = [scale.logicalToCoordinate(trade.entryIndex), scale.logicalToCoordinate(trade.exitIndex)];
      const [y1, y2] = [this.series.priceToCoordinate(trade.entry), this.series.priceToCoordinate(trade.exit)];
      if (x1 === null || x2 === null || y1 === null || y2 === null) return;
      const tone = color(trade.pnl >= 0 ? "gain" : "loss");
      context.strokeStyle = tone;
      context.lineWidth = strong ? 2.5 : 1.25;
      context.setLineDash(strong ? [] : [4, 3]);
      context.globalAlpha = size ? 0.9 : 0.5;
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
      context.setLineDash([]);
      if (!size) return;
      context.globalAlpha = 1;
      context.strokeStyle = color("page");
      context.lineWidth = 1.5;
      const up = trade.side === "long" ? 1 : -1;
      context.fillStyle = color("strategy");
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x1 - size, y1 + up * size * 1.6);
      context.lineTo(x1 + size, y1 + up * size * 1.6);
      context.closePath();
      context.stroke();
      context.fill();
      if (trade.isOpen) return;
      context.fillStyle = tone;
      context.beginPath();
      context.arc(x2, y2, size * 0.75, 0, 2 * Math.PI);
      context.stroke();
      context.fill();
    }
  }

  const trades = result.trades.map((row, number) => ({ ...row, number: number + 1 }));
  let showTrade = () => {};

  const drawPrice = () => {
    const container = byId("price-chart");
    const picker = byId("instrument");
    if (!charts.instruments.length) return;
    charts.instruments.forEach((one, position) => picker.add(new Option(one.symbol, String(position))));
    picker.parentElement.hidden = charts.instruments.length < 2;
    let current = charts.instruments[0];
    const chart = makeChart(container);
    const series = chart.addSeries(library.CandlestickSeries, { priceLineVisible: false, borderVisible: false });
    const volume = chart.addSeries(library.HistogramSeries, {
      priceScaleId: "", priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "volume" },
    });
    series.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.2 } });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.86, bottom: 0 } });
    const { fit, release } = makeFit(chart, container, () => current.t.length);
    const marks = new TradeMarks(container);
    series.attachPrimitive(marks);
    repaints.push(() => {
      chart.applyOptions(chartLook());
      series.applyOptions({
        upColor: color("gain"), downColor: color("loss"), wickUpColor: color("gain"), wickDownColor: color("loss"),
      });
      volume.applyOptions({ color: faded("faint", 0.28) });
    });

    const marked = (row) => {
      const entryIndex = indexAtMost(current.t, secondsOf(row.entry_time));
      const isOpen = row.exit_time === null;
      const exitIndex = isOpen ? current.t.length - 1 : indexAtMost(current.t, secondsOf(row.exit_time));
      const exit = isOpen ? current.c[current.c.length - 1] : row.exit_price;
      return { side: row.side, entryIndex, exitIndex, entry: row.entry_price, exit, pnl: row.pnl, isOpen, number: row.number };
    };
    const legend = byId("price-legend");
    const show = (position) => {
      const price = (value) => grouped(value, current.decimals);
      const items = [element("b", "", current.symbol + (current.interval ? " " + current.interval : ""))];
      [["O", "o"], ["H", "h"], ["L", "l"], ["C", "c"]].forEach(([name, key]) => {
        items.push(legendItem(name, price(current[key][position])));
      });
      if (current.v) items.push(legendItem("V", grouped(current.v[position], 0)));
      items.push(element("span", "", clockOf(current.t[position])));
      legend.replaceChildren(...items);
    };
    const atEnd = () => show(current.t.length - 1);
    const load = (position) => {
      current = charts.instruments[position];
      picker.value = String(position);
      container.dataset.symbol = current.symbol;
      series.applyOptions({
        // The room for the volume reaches below zero, where no price is; an empty label says so.
        priceFormat: {
          type: "custom", formatter: (value) => (value < 0 ? "" : grouped(value, current.decimals)), minMove: 10 ** -current.decimals,
        },
      });
      series.setData(current.t.map((time, index) => ({
        time, open: current.o[index], high: current.h[index], low: current.l[index], close: current.c[index],
      })));
      volume.setData(current.v ? current.t.map((time, index) => ({ time, value: current.v[index] })) : []);
      marks.set(trades.filter((trade) => trade.symbol === current.symbol).map(marked));
      fit();
      atEnd();
    };
    chart.subscribeCrosshairMove((event) => {
      const position = event.logical;
      if (event.time === undefined || position === undefined || !current.t[position]) atEnd();
      else show(position);
    });
    picker.addEventListener("change", () => load(Number(picker.value)));
    byId("price-fit").addEventListener("click", () => { marks.choose(null); fit(); });
    showTrade = (row) => {
      const position = charts.instruments.findIndex((one) => one.symbol === row.symbol);
      if (position < 0) return;
      if (charts.instruments[position] !== current) load(position);
      const trade = marks.trades.find((one) => one.number === row.number);
      marks.choose(trade);
      release();
      const around = Math.max(30, (trade.exitIndex - trade.entryIndex) * 0.8);
      chart.timeScale().setVisibleLogicalRange({ from: trade.entryIndex - around, to: trade.exitIndex + around });
      container.scrollIntoView({ block: "center", behavior: "smooth" });
    };
    load(0);
  };

  // ------------------------------------------------------------------ trades table
  const decimalsOf = new Map(result.data.map((one) => [one.symbol, (String(one.tick).split(".")[1] || "").length]));
  const priceOf = (row, name) => (row[name] === null ? "open" : grouped(row[name], decimalsOf.get(row.symbol) ?? 2));
  const digits = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 9 });
  const COLUMNS = [
    { name: "number", title: "#", text: (row) => String(row.number) },
    { name: "symbol", title: "Instrument", text: (row) => row.symbol, words: true },
    { name: "side", title: "Side", text: (row) => row.side, words: true },
    { name: "quantity", title: "Quantity", text: (row) => digits(row.quantity) },
    { name: "entry_time", title: "Entry (UTC)", text: (row) => clock(row.entry_time), words: true },
    { name: "entry_price", title: "Entry price", text: (row) => priceOf(row, "entry_price") },
    { name: "exit_time", title: "Exit (UTC)", text: (row) => (row.exit_time === null ? "open" : clock(row.exit_time)), words: true },
    { name: "exit_price", title: "Exit price", text: (row) => priceOf(row, "exit_price") },
    { name: "bars", title: "Bars", text: (row) => digits(row.bars) },
    { name: "fees", title: "Fees", text: (row) => grouped(row.fees, 2) },
    { name: "pnl", title: "Net profit", text: (row) => signed(row.pnl, 2), toned: true },
    { name: "return", title: "Return", text: (row) => (row.return === null ? "n/a" : signed(row.return * 100, 2) + " %"), toned: true },
  ];
  const state = { sort: "number", down: false, side: "", words: "", shown: 50 };
  const heads = new Map();

  const matches = (row) => {
    if (state.side && row.side !== state.side) return false;
    if (!state.words) return true;
    const text = `${row.symbol} ${row.side} ${clock(row.entry_time)} ${row.exit_time === null ? "open" : clock(row.exit_time)}`;
    return state.words.split(/\s+/).every((word) => text.toLowerCase().includes(word));
  };
  const compare = (one, other) => {
    const [left, right] = [one[state.sort], other[state.sort]];
    // What has no value (an open trade's exit) comes last in both directions.
    if (left === null || right === null) return (left === null) - (right === null) || one.number - other.number;
    const order = left < right ? -1 : left > right ? 1 : 0;
    return (state.down ? -order : order) || one.number - other.number;
  };
  const renderTrades = () => {
    const rows = trades.filter(matches).sort(compare);
    const body = byId("trades").tBodies[0];
    body.replaceChildren(...rows.slice(0, state.shown).map((row) => {
      const line = element("tr");
      for (const column of COLUMNS) {
        const tone = column.toned ? toneOf(row[column.name]) : row[column.name] === null ? "open" : "";
        line.append(element("td", `${column.words ? "" : "figure "}${tone}`.trim(), column.text(row)));
      }
      const choose = () => {
        for (const other of body.querySelectorAll(".chosen")) other.classList.remove("chosen");
        line.classList.add("chosen");
        showTrade(row);
      };
      line.tabIndex = 0;
      line.addEventListener("click", choose);
      line.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(); });
      return line;
    }));
    const profit = rows.reduce((sum, row) => sum + row.pnl, 0);
    const count = rows.length === trades.length ? `${digits(rows.length)} trades` : `${digits(rows.length)} of ${digits(trades.length)} trades`;
    byId("trades-count").textContent = trades.length
      ? `${count}, net profit ${signed(profit, 2)} ${charts.currency}`.trim()
      : "The run made no trades.";
    byId("more").hidden = rows.length <= state.shown;
    for (const [name, head] of heads) {
      if (name === state.sort) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  };
  const makeTrades = () => {
    const line = element("tr");
    for (const column of COLUMNS) {
      const head = element("th", column.words ? "" : "figure");
      head.scope = "col";
      const button = element("button", "", column.title);
      button.type = "button";
      button.addEventListener("click", () => {
        // Money is first asked for from the best, everything else from the first.
        state.down = state.sort === column.name ? !state.down : Boolean(column.toned);
        state.sort = column.name;
        renderTrades();
      });
      head.append(button);
      heads.set(column.name, head);
      line.append(head);
    }
    byId("trades").tHead.append(line);
    byId("filter").addEventListener("input", (event) => {
      state.words = event.target.value.trim().toLowerCase();
      state.shown = 50;
      renderTrades();
    });
    for (const button of document.querySelectorAll("[data-side]")) {
      button.addEventListener("click", () => {
        state.side = button.dataset.side;
        state.shown = 50;
        for (const other of document.querySelectorAll("[data-side]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        renderTrades();
      });
    }
    byId("more").addEventListener("click", () => { state.shown += 200; renderTrades(); });
    renderTrades();
  };

  const stored = storage.get();
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  makeTrades();
  drawEquity();
  drawPrice();
  repaint();
})();
