//! Prices that follow the models of textbooks, so that their moments are known.
//!
//! Laws: a seed and a name give one stream; more steps extend a path; times are in years. Logarithms and exponentials of
//! the platform take part, so the last bits may differ between platforms, unlike those of `synthetic`.
//!
//! Steps of geometric Brownian motion, jump diffusion and the Ornstein-Uhlenbeck process are drawn from their exact
//! distributions, whatever their length. Heston's variance is stepped by Euler's scheme with full truncation (R. Lord,
//! R. Koekkoek, D. van Dijk, *A comparison of biased simulation schemes for stochastic volatility models*, Quantitative
//! Finance 10, 2010), whose bias falls with the step.

use crate::random::Random;

/// A law that prices follow; rates and volatilities are per year.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Model {
    /// `dS = drift S dt + volatility S dW`.
    GeometricBrownianMotion {
        /// Growth of the expected price.
        drift: f64,
        /// Standard deviation of log returns.
        volatility: f64,
    },
    /// R. C. Merton, *Option pricing when underlying stock returns are discontinuous*, Journal of Financial Economics 3
    /// (1976): Brownian motion with jumps, whose logarithms are normal and whose expectation is taken out of the drift.
    JumpDiffusion {
        /// Growth of the expected price, jumps included.
        drift: f64,
        /// Standard deviation of log returns between jumps.
        volatility: f64,
        /// Expected number of jumps in a year.
        jumps: f64,
        /// Mean of the logarithm of a jump.
        jump_mean: f64,
        /// Standard deviation of the logarithm of a jump.
        jump_deviation: f64,
    },
    /// S. L. Heston, *A closed-form solution for options with stochastic volatility*, Review of Financial Studies 6 (1993).
    Heston {
        /// Growth of the expected price.
        drift: f64,
        /// Variance at the beginning.
        variance: f64,
        /// Speed at which the variance returns.
        reversion: f64,
        /// Variance to which it returns.
        long_variance: f64,
        /// Volatility of the variance.
        volatility: f64,
        /// Correlation of price and variance.
        correlation: f64,
    },
    /// Two prices: the first is geometric Brownian motion, and the logarithm of their ratio an Ornstein-Uhlenbeck process
    /// around zero (G. E. Uhlenbeck, L. S. Ornstein, Physical Review 36, 1930), begun in its stationary distribution.
    Pair {
        /// Growth of the expected first price.
        drift: f64,
        /// Standard deviation of log returns of the first price.
        volatility: f64,
        /// Speed at which the ratio returns.
        reversion: f64,
        /// Stationary standard deviation of the logarithm of the ratio.
        deviation: f64,
    },
}

/// A path: values after each step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// The price.
    pub price: Vec<f64>,
    /// The variance of Heston's model, or the other price of a pair; empty for other models.
    pub second: Vec<f64>,
}

/// Normal numbers by the polar method (G. Marsaglia, T. A. Bray, SIAM Review 6, 1964).
struct Normals {
    random: Random,
    spare: Option<f64>,
}

impl Normals {
    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.random.uniform() - 1.0, 2.0 * self.random.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// How many events of a Poisson process fall into a step, by counting exponential waits.
    fn events(&mut self, expected: f64) -> u32 {
        let mut waited = -(1.0 - self.random.uniform()).ln();
        let mut count = 0;
        while waited < expected {
            count += 1;
            waited -= (1.0 - self.random.uniform()).ln();
        }
        count
    }
}

/// A path of a model from a price, in steps of `step_years`.
pub fn simulate(model: Model, seed: u64, name: &str, start: f64, steps: usize, step_years: f64) -> Path {
    let mut normals = Normals { random: Random::keyed(seed, name), spare: None };
    let root = step_years.sqrt();
    let mut path = Path { price: Vec::with_capacity(steps), second: Vec::new() };
    let mut log = start.ln();
    match model {
        Model::GeometricBrownianMotion { drift, volatility } => {
            let mean = (drift - volatility * volatility / 2.0) * step_years;
            for _ in 0..steps {
                log += mean + volatility * root * normals.next();
                path.price.push(log.exp());
            }
        }
        Model::JumpDiffusion { drift, volatility, jumps, jump_mean, jump_deviation } => {
            let expected_jump = (jump_mean + jump_deviation * jump_deviation / 2.0).exp() - 1.0;
            let mean = (drift - volatility * volatility / 2.0 - jumps * expected_jump) * step_years;
            for _ in 0..steps {
                log += mean + volatility * root * normals.next();
                for _ in 0..normals.events(jumps * step_years) {
                    log += jump_mean + jump_deviation * normals.next();
                }
                path.price.push(log.exp());
            }
        }
        Model::Heston { drift, variance, reversion, long_variance, volatility, correlation } => {
            let across = (1.0 - correlation * correlation).sqrt();
            let mut latent = variance;
            for _ in 0..steps {
                let now = latent.max(0.0);
                let (first, other) = (normals.next(), normals.next());
                log += (drift - now / 2.0) * step_years + now.sqrt() * root * first;
                latent += reversion * (long_variance - now) * step_years
                    + volatility * now.sqrt() * root * (correlation * first + across * other);
                path.price.push(log.exp());
                path.second.push(latent.max(0.0));
            }
        }
        Model::Pair { drift, volatility, reversion, deviation } => {
            let mean = (drift - volatility * volatility / 2.0) * step_years;
            let kept = (-reversion * step_years).exp();
            let fresh = deviation * (1.0 - kept * kept).sqrt();
            let mut ratio = deviation * normals.next();
            for _ in 0..steps {
                log += mean + volatility * root * normals.next();
                ratio = ratio * kept + fresh * normals.next();
                path.price.push(log.exp());
                path.second.push((log + ratio).exp());
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: usize = 400_000;
    const DAY: f64 = 1.0 / 365.0;
    /// Five standard errors: by chance alone a check fails once in 1.7 million seeds, and these seeds are fixed.
    const SIGMAS: f64 = 5.0;

    fn log_returns(model: Model, seed: u64) -> Vec<f64> {
        let path = simulate(model, seed, "moments", 100.0, STEPS, DAY);
        path.price.iter().zip(&path.price[1..]).map(|(before, after)| (after / before).ln()).collect()
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n)
    }

    fn close(found: f64, expected: f64, error: f64) {
        assert!((found - expected).abs() < SIGMAS * error, "{found} is not {expected} within 5 * {error}");
    }

    #[test]
    fn brownian_log_returns_have_their_mean_and_variance() {
        let (drift, volatility) = (0.5, 0.8);
        let returns = log_returns(Model::GeometricBrownianMotion { drift, volatility }, 1);
        let (n, variance) = (returns.len() as f64, volatility * volatility * DAY);
        let (mean, found) = moments(&returns);
        close(mean, (drift - volatility * volatility / 2.0) * DAY, (variance / n).sqrt());
        close(found, variance, variance * (2.0 / n).sqrt());
    }

    #[test]
    fn jumps_add_their_mean_variance_and_fourth_cumulant() {
        let (drift, volatility, jumps, m, s) = (0.1, 0.3, 40.0, -0.02, 0.05);
        let model = Model::JumpDiffusion { drift, volatility, jumps, jump_mean: m, jump_deviation: s };
        let returns = log_returns(model, 2);
        let n = returns.len() as f64;
        let expected_jump = (m + s * s / 2.0_f64).exp() - 1.0;
        let variance = (volatility * volatility + jumps * (m * m + s * s)) * DAY;
        let fourth = jumps * (m.powi(4) + 6.0 * m * m * s * s + 3.0 * s.powi(4)) * DAY;
        let (mean, found) = moments(&returns);
        close(
            mean,
            (drift - volatility * volatility / 2.0 - jumps * expected_jump + jumps * m) * DAY,
            (variance / n).sqrt(),
        );
        close(found, variance, ((fourth + 2.0 * variance * variance) / n).sqrt());
    }

    #[test]
    fn the_variance_of_heston_has_its_stationary_mean_and_drives_the_returns() {
        let (reversion, long_variance, volatility) = (20.0, 0.25, 1.0);
        let model =
            Model::Heston { drift: 0.0, variance: 0.25, reversion, long_variance, volatility, correlation: -0.7 };
        // Fine steps: Euler's bias is of the order of a step.
        let step = DAY / 24.0;
        let path = simulate(model, 3, "moments", 100.0, STEPS, step);
        let (mean, _) = moments(&path.second);
        let stationary = long_variance * volatility * volatility / (2.0 * reversion);
        let independent = STEPS as f64 * step * reversion / 2.0;
        close(mean, long_variance, (stationary / independent).sqrt());
        let returns: Vec<f64> = path.price.iter().zip(&path.price[1..]).map(|(a, b)| (b / a).ln()).collect();
        let (_, found) = moments(&returns);
        // The returns have the variance that the path of variances says, which is nearer than the stationary one.
        close(found, mean * step, mean * step * (6.0 / STEPS as f64).sqrt());
    }

    #[test]
    fn the_ratio_of_a_pair_returns_as_fast_and_strays_as_far_as_asked() {
        let (reversion, deviation) = (50.0_f64, 0.02);
        let model = Model::Pair { drift: 0.0, volatility: 0.5, reversion, deviation };
        let path = simulate(model, 4, "moments", 100.0, STEPS, DAY);
        let ratio: Vec<f64> = path.price.iter().zip(&path.second).map(|(a, b)| (b / a).ln()).collect();
        let kept = (-reversion * DAY).exp();
        let n = ratio.len() as f64;
        let square = deviation * deviation;
        let (mean, found) = moments(&ratio);
        close(mean, 0.0, deviation * ((1.0 + kept) / (1.0 - kept) / n).sqrt());
        let both = (1.0 + kept * kept) / (1.0 - kept * kept);
        close(found, square, square * (2.0 * both / n).sqrt());
        let together = ratio.iter().zip(&ratio[1..]).map(|(a, b)| a * b).sum::<f64>() / (n - 1.0);
        close(together / found, kept, ((1.0 - kept * kept) / n).sqrt());
    }

    #[test]
    fn a_seed_and_a_name_are_one_stream_and_more_steps_extend_it() {
        let model = Model::GeometricBrownianMotion { drift: 0.1, volatility: 0.5 };
        let path = |seed, name, steps| simulate(model, seed, name, 100.0, steps, DAY).price;
        assert_eq!(path(7, "A", 50), path(7, "A", 80)[..50]);
        assert_ne!(path(7, "A", 50), path(8, "A", 50));
        assert_ne!(path(7, "A", 50), path(7, "B", 50));
    }
}
