//! Formulas for Python: terms and roles as lists and dictionaries.

use std::collections::HashMap;

use nt_core::Error;
use nt_engine::formula::Roles;
use nt_features::graph::{Given, Operation, Term};

/// Terms as Python words them: operation, inputs, and numbers, each with whether it is the rank of a parameter.
pub type Terms = Vec<Words>;

type Words = (String, Vec<usize>, Vec<(bool, f64)>);

/// Terms as the engine takes them, each after those that it reads.
pub fn terms_of(terms: Terms, parameters: usize) -> Result<Vec<Term>, Error> {
    let term = |(at, (name, inputs, given)): (usize, Words)| {
        let wrong = |what: &str| Error::Misuse(format!("node {at} of the formula ({name}) {what}"));
        let operation = Operation::named(&name);
        if inputs.len() != operation.inputs() {
            return Err(wrong(&format!("reads {} nodes, not {}", operation.inputs(), inputs.len())));
        }
        if inputs.iter().any(|&input| input >= at) {
            return Err(wrong("reads a node that comes after it"));
        }
        let number = |(is_parameter, number): (bool, f64)| match is_parameter {
            false => Ok(Given::Number(number)),
            true if number >= 0.0 && number < parameters as f64 => Ok(Given::Parameter(number as usize)),
            true => Err(wrong("has a parameter that the formula has not")),
        };
        let given = given.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
        if operation.numbers().is_some_and(|count| count != given.len()) {
            return Err(wrong("has a wrong count of numbers"));
        }
        Ok(Term { operation, inputs, given })
    };
    terms.into_iter().enumerate().map(term).collect()
}

/// The place of each role.
pub fn roles_of(given: &HashMap<String, usize>, terms: usize) -> Result<Roles, Error> {
    let names = Roles {
        entry: "entry",
        exit: "exit",
        short_entry: "short_entry",
        short_exit: "short_exit",
        size: "size",
        stop_loss: "stop_loss",
        take_profit: "take_profit",
        trail: "trail",
        target: "target",
        when: "when",
    };
    let roles = names.map(|name| given.get(name).copied());
    let mut known = 0;
    roles.map(|place| known += usize::from(place.is_some_and(|place| place < terms)));
    match known == given.len() {
        true => Ok(roles),
        false => Err(Error::Misuse("the formula has a role that is none, or that names no node".into())),
    }
}
