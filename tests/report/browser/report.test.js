// The report in a real browser: it draws, sorts, filters and switches, and asks nothing of the network.
//
// Needs Chromium (CHROMIUM, or the usual paths) and playwright-core; without them every test is skipped and says so.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, "../../..");
const chromium = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .find((candidate) => candidate && existsSync(candidate));
const playwright = await import("playwright-core").catch(() => null);
const skip = !chromium ? "no Chromium found; set CHROMIUM to its path"
  : !playwright ? "playwright-core is not installed; run npm install" : false;

const WIDTHS = [390, 1440];
let browser;
let folder;

/** Opens a page and records what must not happen: errors in the console, failed scripts, requests to anywhere. */
const open = async (name, width, settings = {}) => {
  const context = await browser.newContext({ viewport: { width, height: 900 }, ...settings });
  context.setDefaultTimeout(5_000);
  const page = await context.newPage();
  const complaints = [];
  const file = pathToFileURL(path.join(folder, name)).href;
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => { if (request.url() !== file) complaints.push(`request to ${request.url()}`); });
  await page.goto(file);
  return { page, complaints, close: () => context.close() };
};

const columnOf = (page, title) => page.evaluate((wanted) => {
  const titles = [...document.querySelectorAll("#trades thead th")].map((head) => head.textContent);
  const index = titles.indexOf(wanted);
  return [...document.querySelectorAll("#trades tbody tr")].map((row) => row.cells[index].textContent);
}, title);
const numberIn = (text) => Number(text.replace("−", "-").replace(/[^0-9.eE-]/g, ""));
const darkness = (page) => page.evaluate(() => {
  const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
  return red + green + blue;
});

describe("report in the browser", { skip }, () => {
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "neural-trader-pages-"));
    const venv = path.join(repository, ".venv/bin/python");
    const python = process.env.PYTHON ?? (existsSync(venv) ? venv : "python3");
    const made = spawnSync(python, [path.join(here, "make_pages.py"), folder], {
      env: { ...process.env, PYTHONPATH: path.join(repository, "python") }, encoding: "utf8",
    });
    assert.equal(made.status, 0, made.stderr);
    browser = await playwright.chromium.launch({
      executablePath: chromium, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
    });
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const name of ["two", "days", "hostile", "idle", "empty", "replay", "subsecond", "million"]) {
    for (const width of WIDTHS) {
      test(`${name} opens at ${width} px without errors, requests or sideways scrolling`, async () => {
        const { page, complaints, close } = await open(`${name}.html`, width);
        await page.waitForTimeout(150);
        assert.deepEqual(complaints, []);
        assert.equal(await page.evaluate(() => window.hacked), undefined);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `the page is ${overflow} px wider than the window`);
        if (name !== "empty") assert.ok(await page.locator("#equity-chart canvas").count() > 0);
        await close();
      });
    }
  }

  test("each column sorts in both directions, with what has no value last", async () => {
    const { page, complaints, close } = await open("two.html", 1440);
    const titles = await page.locator("#trades thead th").allTextContents();
    assert.equal(titles.length, 12);
    while (await page.locator("#more").isVisible()) await page.click("#more");
    for (const [position, title] of titles.entries()) {
      const seen = new Set();
      for (let click = 0; click < 2; click += 1) {
        const head = page.locator("#trades thead th").nth(position);
        await head.getByRole("button").click();
        const direction = await head.getAttribute("aria-sort");
        seen.add(direction);
        const values = (await columnOf(page, title)).filter((value) => value !== "open");
        const all = await columnOf(page, title);
        assert.ok(all.slice(values.length).every((value) => value === "open"), `${title}: open trades come last`);
        const words = ["Instrument", "Side", "Entry (UTC)", "Exit (UTC)"].includes(title);
        const keys = words ? values : values.map(numberIn);
        for (let index = 1; index < keys.length; index += 1) {
          const [left, right] = direction === "ascending" ? [keys[index - 1], keys[index]] : [keys[index], keys[index - 1]];
          assert.ok(left <= right, `${title} ${direction}: ${values[index - 1]} before ${values[index]}`);
        }
      }
      assert.deepEqual([...seen].sort(), ["ascending", "descending"], title);
    }
    assert.deepEqual(complaints, []);
    await close();
  });

  test("text and side filter together, and the count says what is shown", async () => {
    const { page, close } = await open("two.html", 1440);
    const whole = await page.locator("#trades-count").textContent();
    await page.fill("#filter", "eth-usdt 2024-05");
    await page.click('[data-side="short"]');
    const symbols = await columnOf(page, "Instrument");
    assert.ok(symbols.length > 0);
    assert.ok(symbols.every((symbol) => symbol === "ETH-USDT"));
    assert.ok((await columnOf(page, "Side")).every((side) => side === "short"));
    const [entries, exits] = [await columnOf(page, "Entry (UTC)"), await columnOf(page, "Exit (UTC)")];
    assert.ok(entries.every((entry, index) => entry.startsWith("2024-05") || exits[index].startsWith("2024-05")));
    assert.match(await page.locator("#trades-count").textContent(), new RegExp(`^${symbols.length} of \\d+ trades`));
    await page.fill("#filter", "no such trade");
    assert.equal((await columnOf(page, "Side")).length, 0);
    await page.fill("#filter", "");
    await page.click('[data-side=""]');
    assert.equal(await page.locator("#trades-count").textContent(), whole);
    await close();
  });

  test("the theme follows the system, switches, and is remembered", async () => {
    for (const scheme of ["light", "dark"]) {
      const { page, complaints, close } = await open("two.html", 1440, { colorScheme: scheme });
      const [system, chart] = [await darkness(page), await page.locator("#equity-chart canvas").first().screenshot()];
      assert.equal(system < 384, scheme === "dark");
      await page.click("#theme");
      const switched = await darkness(page);
      assert.equal(switched < 384, scheme !== "dark");
      await page.waitForTimeout(100);
      assert.notDeepEqual(await page.locator("#equity-chart canvas").first().screenshot(), chart);
      await page.reload();
      assert.equal(await darkness(page), switched);
      assert.deepEqual(complaints, []);
      await close();
    }
  });

  test("the picker changes the instrument, its candles and its legend", async () => {
    const { page, complaints, close } = await open("two.html", 1440);
    assert.match(await page.locator("#price-legend").textContent(), /^BTC-USDT/);
    const drawn = await page.locator("#price-chart canvas").first().screenshot();
    await page.selectOption("#instrument", { label: "ETH-USDT" });
    assert.match(await page.locator("#price-legend").textContent(), /^ETH-USDT/);
    assert.equal(await page.locator("#price-chart").getAttribute("data-symbol"), "ETH-USDT");
    await page.waitForTimeout(150);
    assert.notDeepEqual(await page.locator("#price-chart canvas").first().screenshot(), drawn);
    assert.ok(Number(await page.locator("#price-chart").getAttribute("data-marked")) > 10);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("one instrument needs no picker", async () => {
    const { page, close } = await open("days.html", 1440);
    assert.equal(await page.locator("#instrument").isVisible(), false);
    await close();
  });

  test("a click on a trade shows it in the chart of its instrument", async () => {
    const { page, complaints, close } = await open("two.html", 1440);
    await page.fill("#filter", "ETH-USDT");
    await page.locator("#trades tbody tr").nth(4).click();
    await page.waitForTimeout(250);
    assert.equal(await page.locator("#price-chart").getAttribute("data-symbol"), "ETH-USDT");
    const marked = Number(await page.locator("#price-chart").getAttribute("data-marked"));
    assert.ok(marked >= 1 && marked < 20, `${marked} trades are in view`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("the crosshair moves the legend, a click gives the wheel to the chart, and the button shows all again", async () => {
    const { page, complaints, close } = await open("two.html", 1440);
    await page.locator("#price-chart").scrollIntoViewIfNeeded();
    const atRest = await page.locator("#price-legend").textContent();
    const box = await page.locator("#price-chart").boundingBox();
    await page.mouse.move(box.x + box.width / 3, box.y + box.height / 2);
    await page.waitForTimeout(100);
    assert.notEqual(await page.locator("#price-legend").textContent(), atRest);
    await page.waitForTimeout(100);
    const whole = Number(await page.locator("#price-chart").getAttribute("data-marked"));
    const before = await page.evaluate(() => scrollY);
    await page.mouse.wheel(0, -100);
    await page.waitForTimeout(150);
    assert.ok(await page.evaluate(() => scrollY) < before, "before a click the wheel scrolls the page");
    assert.equal(Number(await page.locator("#price-chart").getAttribute("data-marked")), whole);
    await page.mouse.down();
    await page.mouse.up();
    for (let turn = 0; turn < 10; turn += 1) {
      await page.mouse.wheel(0, -400);
      await page.waitForTimeout(30);
    }
    await page.waitForTimeout(150);
    assert.ok(Number(await page.locator("#price-chart").getAttribute("data-marked")) < whole);
    await page.click("#price-fit");
    await page.waitForTimeout(150);
    assert.equal(Number(await page.locator("#price-chart").getAttribute("data-marked")), whole);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("the logarithmic scale is a switch", async () => {
    const { page, complaints, close } = await open("two.html", 1440);
    const drawn = await page.locator("#equity-chart canvas").first().screenshot();
    await page.click("#scale");
    assert.equal(await page.locator("#scale").getAttribute("aria-pressed"), "true");
    await page.waitForTimeout(100);
    assert.notDeepEqual(await page.locator("#equity-chart canvas").first().screenshot(), drawn);
    assert.deepEqual(complaints, []);
    await close();
  });

  test("the hash is copied", async () => {
    const { page, close } = await open("two.html", 1440);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.click("#copy");
    const hash = await page.locator("#hash").textContent();
    await page.getByText("Copied").waitFor({ timeout: 2_000 });
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), hash);
    await close();
  });

  test("a formula shows when its name is focused with the keyboard", async () => {
    const { page, close } = await open("two.html", 390);
    const name = page.locator(".stats .tip", { hasText: "Sharpe Ratio" });
    await name.focus();
    const shown = await name.evaluate((node) => getComputedStyle(node, "::after").content);
    assert.match(shown, /mean\(r\)/);
    await close();
  });

  test("a million bars open within two seconds", async () => {
    const begin = performance.now();
    const { page, close } = await open("million.html", 1440);
    await page.locator("#trades tbody tr").first().waitFor();
    const elapsed = performance.now() - begin;
    assert.ok(elapsed < 2_000, `${elapsed.toFixed(0)} ms`);
    await close();
  });
});
