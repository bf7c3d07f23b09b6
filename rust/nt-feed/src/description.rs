//! What venues say about their instruments: symbol, currencies, tick, lot, least quantity and least notional.

use nt_core::Step;

use crate::document::Value;
use crate::feed::Venue;
use crate::instrument::Grid;
use crate::malformed::Malformed;

/// An instrument as its venue describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The symbol that market data carries.
    pub symbol: String,
    /// The currency that is bought.
    pub base: String,
    /// The currency that is paid.
    pub quote: String,
    /// Steps and decimals.
    pub grid: Grid,
    /// The least quantity of an order, as the venue writes it; empty where it names none.
    pub quantity_min: String,
    /// The least price times quantity of an order, as the venue writes it; empty where it names none.
    pub notional_min: String,
    /// Whether it can be traded.
    pub tradable: bool,
}

/// All instruments of a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Those that can be used.
    pub instruments: Vec<Description>,
    /// Symbols whose steps are missing or finer than nine decimals.
    pub left_out: Vec<String>,
}

impl Described {
    fn add(&mut self, symbol: &str, description: Option<Description>) {
        match description {
            Some(description) => self.instruments.push(description),
            None => self.left_out.push(symbol.to_owned()),
        }
    }
}

/// A step from its text, `0.00100000` or `1e-08`; zero is no step.
fn step(text: &str) -> Option<Step> {
    let (mantissa, decimals) = crate::decimal::parse_cell(text.as_bytes()).ok()?;
    Step::new(mantissa, u8::try_from(decimals).ok()?).ok()
}

/// The step of so many decimals.
fn decimals_step(text: &str) -> Option<Step> {
    Step::new(1, text.parse().ok()?).ok()
}

fn decimals(text: Option<&str>) -> Option<u8> {
    text?.parse().ok().filter(|decimals| *decimals <= 18)
}

/// Binance: "Exchange information", with its filters. A step of zero disables a rule, which leaves the precision.
fn binance(document: &Value) -> Described {
    let mut described = Described::default();
    for one in document.get("symbols").map(Value::items).unwrap_or_default() {
        let symbol = one.text("symbol").unwrap_or_default();
        let filter = |kinds: &[&str], field: &str| {
            let filters = one.get("filters").map(Value::items).unwrap_or_default();
            let found =
                filters.iter().find(|filter| filter.text("filterType").is_some_and(|kind| kinds.contains(&kind)));
            found.and_then(|filter| filter.text(field))
        };
        let precision = |futures: &str, spot: &str| one.text(futures).or(one.text(spot)).and_then(decimals_step);
        let tick = filter(&["PRICE_FILTER"], "tickSize").and_then(step);
        let lot = filter(&["LOT_SIZE"], "stepSize").and_then(step);
        let tick = tick.or_else(|| precision("pricePrecision", "quoteAssetPrecision"));
        let lot = lot.or_else(|| precision("quantityPrecision", "baseAssetPrecision"));
        let asset_decimals = decimals(one.text("quantityPrecision").or(one.text("baseAssetPrecision")));
        let notional = |field| filter(&["MIN_NOTIONAL", "NOTIONAL"], field);
        described.add(
            symbol,
            tick.zip(lot).map(|(tick, lot)| Description {
                symbol: symbol.to_owned(),
                base: one.text("baseAsset").unwrap_or_default().to_owned(),
                quote: one.text("quoteAsset").unwrap_or_default().to_owned(),
                grid: Grid { quantity_decimals: lot.decimals.max(asset_decimals.unwrap_or(0)), ..Grid::new(tick, lot) },
                quantity_min: filter(&["LOT_SIZE"], "minQty").unwrap_or_default().to_owned(),
                notional_min: notional("minNotional").or(notional("notional")).unwrap_or_default().to_owned(),
                tradable: one.text("status") == Some("TRADING"),
            }),
        );
    }
    described
}

/// Kraken: the `pairs` of the instrument channel.
fn kraken_channel(data: &Value) -> Described {
    let mut described = Described::default();
    for one in data.get("pairs").map(Value::items).unwrap_or_default() {
        let symbol = one.text("symbol").unwrap_or_default();
        let description = || {
            let tick = one.text("price_increment").or(one.text("tick_size")).and_then(step);
            let lot = one.text("qty_increment").and_then(step);
            let price_decimals = decimals(one.text("price_precision"))?;
            let quantity_decimals = decimals(one.text("qty_precision"))?;
            Some(Description {
                symbol: symbol.to_owned(),
                base: one.text("base")?.to_owned(),
                quote: one.text("quote")?.to_owned(),
                grid: Grid { tick: tick?, lot: lot?, price_decimals, quantity_decimals },
                quantity_min: one.text("qty_min").unwrap_or_default().to_owned(),
                notional_min: one.text("cost_min").unwrap_or_default().to_owned(),
                tradable: one.text("status") == Some("online"),
            })
        };
        described.add(symbol, description());
    }
    described
}

/// Kraken: "Get Tradable Asset Pairs". Its `wsname` is that of WebSocket v1, whose XBT and XDG are BTC and DOGE in v2;
/// old answers have no tick of their own.
fn kraken_pairs(document: &Value) -> Described {
    let mut described = Described::default();
    let modern = |currency: &str| match currency {
        "XBT" => "BTC".to_owned(),
        "XDG" => "DOGE".to_owned(),
        other => other.to_owned(),
    };
    for (name, one) in document.get("result").map(Value::entries).unwrap_or_default() {
        // Pairs of the dark pool have no name on the WebSocket.
        let Some((base, quote)) = one.text("wsname").and_then(|name| name.split_once('/')) else {
            described.left_out.push(name.clone().into_owned());
            continue;
        };
        let (base, quote) = (modern(base), modern(quote));
        let symbol = format!("{base}/{quote}");
        let description = || {
            let price = one.text("pair_decimals")?;
            let lot = one.text("lot_decimals")?;
            Some(Description {
                symbol: symbol.clone(),
                base: base.clone(),
                quote: quote.clone(),
                grid: Grid {
                    tick: one.text("tick_size").and_then(step).or_else(|| decimals_step(price))?,
                    lot: decimals_step(lot)?,
                    price_decimals: decimals(Some(price))?,
                    quantity_decimals: decimals(Some(lot))?,
                },
                quantity_min: one.text("ordermin").unwrap_or_default().to_owned(),
                notional_min: one.text("costmin").unwrap_or_default().to_owned(),
                tradable: one.text("status").is_none_or(|status| status == "online"),
            })
        };
        described.add(&symbol, description());
    }
    described
}

/// Coinbase: the list of "Get all known trading pairs" (Exchange), or `products` of "List Products" (Advanced Trade).
fn coinbase(document: &Value) -> Described {
    let mut described = Described::default();
    let products = document.get("products").unwrap_or(document);
    for one in products.items() {
        let either = |advanced: &str, exchange: &str| one.text(advanced).or(one.text(exchange)).unwrap_or_default();
        let symbol = either("product_id", "id");
        let tick = one.text("price_increment").or(one.text("quote_increment")).and_then(step);
        let lot = one.text("base_increment").and_then(step);
        let off = |field| one.text(field) == Some("true");
        described.add(
            symbol,
            tick.zip(lot).map(|(tick, lot)| Description {
                symbol: symbol.to_owned(),
                base: either("base_currency_id", "base_currency").to_owned(),
                quote: either("quote_currency_id", "quote_currency").to_owned(),
                grid: Grid::new(tick, lot),
                quantity_min: one.text("base_min_size").unwrap_or_default().to_owned(),
                notional_min: either("quote_min_size", "min_market_funds").to_owned(),
                tradable: one.text("status") == Some("online") && !off("trading_disabled") && !off("is_disabled"),
            }),
        );
    }
    described
}

/// OANDA: "Account Instruments". Prices have `displayPrecision` decimals and units `tradeUnitsPrecision`.
fn oanda(document: &Value) -> Described {
    let mut described = Described::default();
    for one in document.get("instruments").map(Value::items).unwrap_or_default() {
        let symbol = one.text("name").unwrap_or_default();
        let (base, quote) = symbol.split_once('_').unwrap_or((symbol, ""));
        let tick = one.text("displayPrecision").and_then(decimals_step);
        let lot = one.text("tradeUnitsPrecision").and_then(decimals_step);
        described.add(
            symbol,
            tick.zip(lot).map(|(tick, lot)| Description {
                symbol: symbol.to_owned(),
                base: base.to_owned(),
                quote: quote.to_owned(),
                grid: Grid::new(tick, lot),
                quantity_min: one.text("minimumTradeSize").unwrap_or_default().to_owned(),
                notional_min: String::new(),
                tradable: true,
            }),
        );
    }
    described
}

/// The instruments of a venue's description. Kraken's may be the answer of AssetPairs or a message of the channel.
pub fn instruments_of(venue: Venue, document: &[u8]) -> Result<Described, Malformed> {
    let document = Value::read(document)?;
    Ok(match venue {
        Venue::Binance | Venue::BinanceUs | Venue::BinanceUsdm => binance(&document),
        Venue::Kraken => match document.get("data") {
            Some(data) => kraken_channel(data),
            None => kraken_pairs(&document),
        },
        Venue::Coinbase | Venue::CoinbaseExchange => coinbase(&document),
        Venue::Oanda => oanda(&document),
    })
}

/// The instruments in the data of a message of Kraken's instrument channel.
pub fn kraken_instruments(data: &[u8]) -> Result<Vec<Description>, Malformed> {
    Ok(kraken_channel(&Value::read(data)?).instruments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_zero_disables_the_rule_and_leaves_the_precision() {
        let text =
            br#"{"symbols":[{"symbol":"AB","status":"TRADING","baseAsset":"A","quoteAsset":"B","baseAssetPrecision":8,
            "filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01000000"},
            {"filterType":"LOT_SIZE","stepSize":"0.00000000","minQty":"0.001"},
            {"filterType":"NOTIONAL","minNotional":"5.0"}]},{"symbol":"CD"}]}"#;
        let found = instruments_of(Venue::Binance, text).unwrap();
        let one = &found.instruments[0];
        assert_eq!(
            (one.grid.tick, one.grid.lot),
            (Step { mantissa: 1, decimals: 2 }, Step { mantissa: 1, decimals: 8 })
        );
        assert_eq!((one.quantity_min.as_str(), one.notional_min.as_str(), one.tradable), ("0.001", "5.0", true));
        assert_eq!(found.left_out, ["CD"]);
    }

    #[test]
    fn old_names_of_kraken_become_those_of_its_stream() {
        let text = br#"{"error":[],"result":{"XXBTZUSD":{"wsname":"XBT\/USD","pair_decimals":1,"lot_decimals":8,
            "ordermin":"0.0001"},"XXBTZUSD.d":{"pair_decimals":1}}}"#;
        let found = instruments_of(Venue::Kraken, text).unwrap();
        assert_eq!((found.instruments[0].symbol.as_str(), found.instruments[0].base.as_str()), ("BTC/USD", "BTC"));
        assert_eq!(found.left_out, ["XXBTZUSD.d"]);
    }

    #[test]
    fn exponents_are_steps_too() {
        let text = br#"{"channel":"instrument","data":{"pairs":[{"symbol":"EUR/USD","base":"EUR","quote":"USD","status":"online",
            "qty_precision":8,"qty_increment":1e-08,"price_precision":5,"price_increment":5e-05,"qty_min":0.5}]}}"#;
        let grid = instruments_of(Venue::Kraken, text).unwrap().instruments[0].grid;
        assert_eq!((grid.tick, grid.lot), (Step { mantissa: 5, decimals: 5 }, Step { mantissa: 1, decimals: 8 }));
    }
}
