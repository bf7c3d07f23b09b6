#!/usr/bin/env node
// A stand-in for cargo, which the launcher only asks for its version.

console.log(`cargo ${process.env.FAKE_CARGO_VERSION ?? "1.99.0"} (fake)`);
