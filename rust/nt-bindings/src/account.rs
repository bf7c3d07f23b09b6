//! What an account is beyond one currency and spot instruments, as Python gives it.

use nt_core::{ContractTerms, Error, Settlement, Step};
use nt_engine::{AccountKind, AccountTerms, Currency, Funding, Tier, Worth};
use pyo3::prelude::*;

/// The fields of `neural_trader.baseline.terms.AccountTerms`, of which the parts are named tuples.
#[derive(FromPyObject)]
pub struct Given {
    kind: String,
    contracts: Vec<(String, u32, i64, u8, i64, i64)>,
    currencies: Vec<(String, i128, i64, i64)>,
    tiers: Vec<(i128, i64, i64)>,
    start_tier: usize,
    funding: Vec<(i64, usize, i64, i64)>,
    interest_ppb: i64,
    borrow_ppb: i64,
}

impl Given {
    /// The terms that the engine works by; it checks what they say.
    pub fn read(self) -> Result<AccountTerms, Error> {
        let kind = match self.kind.as_str() {
            "margin" => AccountKind::Margin,
            "cash" => AccountKind::Cash,
            other => return Err(Error::Misuse(format!("an account is one of margin, cash, not {other:?}"))),
        };
        let contract = |(kind, currency, mantissa, decimals, maintenance, liquidation): (String, _, _, _, _, _)| {
            let settlement = [Settlement::Spot, Settlement::Linear, Settlement::Inverse];
            let settlement = settlement
                .into_iter()
                .find(|each| each.name() == kind)
                .ok_or_else(|| Error::Misuse(format!("an instrument is one of spot, linear, inverse, not {kind:?}")))?;
            Ok(ContractTerms { settlement, currency, size: Step { mantissa, decimals }, maintenance, liquidation })
        };
        let currency = |(code, deposit, rate, instrument): (String, _, _, i64)| match usize::try_from(instrument) {
            Ok(k) if rate == 0 => Ok(Currency { code, deposit, worth: Worth::Mark(k) }),
            Err(_) if instrument == -1 => Ok(Currency { code, deposit, worth: Worth::Constant(rate) }),
            _ => Err(Error::Misuse(format!("{code} needs a rate: a positive constant, or an instrument of the run"))),
        };
        let tier = |(volume, maker, taker)| Tier { volume, maker, taker };
        let funding = |(time_ns, instrument, rate, mark)| Funding { time_ns, instrument, rate, mark };
        Ok(AccountTerms {
            kind,
            contracts: self.contracts.into_iter().map(contract).collect::<Result<_, _>>()?,
            currencies: self.currencies.into_iter().map(currency).collect::<Result<_, _>>()?,
            tiers: self.tiers.into_iter().map(tier).collect(),
            start_tier: self.start_tier,
            funding: self.funding.into_iter().map(funding).collect(),
            interest: self.interest_ppb,
            borrow: self.borrow_ppb,
        })
    }
}
