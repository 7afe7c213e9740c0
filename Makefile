# Short names for what is done often. CI runs `.ci/run`; nothing here is needed to build or to use detente.

.PHONY: check test model bench growth fuzz

# Format, lints, documentation, the library without the program: what CI asks before it tests.
check:
	.ci/run check

# All tests: unit, integration, documentation.
test:
	cargo test

# The default model from its recipe, byte for byte; where a source is missing, its name and origin.
model:
	cargo run --release -- train --config models/default.toml --output models/default.detente

# Time and memory against the size of hostile input: reports/growth.md.
growth:
	cargo bench --bench growth > reports/growth.md

# Damaged input, CASES times for each target; a failure names the case, and FUZZ_FIRST begins there.
CASES ?= 1000000
fuzz:
	FUZZ_CASES=$(CASES) cargo test --profile fuzz --test hostile

# Benchmarks. `cargo bench --bench throughput -- --save-baseline main`, then `-- --baseline main`, compares two states of the code.
bench:
	cargo bench --bench throughput
