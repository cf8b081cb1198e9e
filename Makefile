# `make help` lists what can be typed. Each target installs what it needs and this machine lacks.

export PATH := $(shell .ci/setup path):$(PATH)

.PHONY: help run test quality torture fuzz watch bench build release check unit browser pictures

help: ## list what can be typed
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and serve on http://localhost:3000, with a simulated Linear unless LINEAR_CLIENT_ID is set
	@$(TARGET)/debug/relink serve --demo

torture: ## random kills and faults against real processes: ROUNDS=1000 SEED=…
	@.ci/setup test
	RELINK_TORTURE_ROUNDS=$(or $(ROUNDS),1000) RELINK_TORTURE_SEED=$(SEED) .ci/with-postgres cargo test --locked --quiet -p relink --test torture

fuzz: ## read and verify CASES=10000000 odd webhooks of each kind
	RELINK_FUZZ_CASES=$(or $(CASES),10000000) cargo test --locked --release -p relink-engine --test fuzz

watch: ## rebuild and reload on every change
	@.ci/setup watch
	PATH="$$PWD/.ci/watch:$$PATH" cargo leptos watch --cargo-locked -- serve --demo

test: ## every check and test: format, lints, unit, store on both databases, HTTP, browser
	@.ci/setup test
	@$(MAKE) --no-print-directory check site unit build browser

quality: ## what others measure, on the built pages: the Nu HTML Checker and Lighthouse
	@.ci/setup quality
	@$(MAKE) --no-print-directory build
	cd end2end && npx playwright test --config quality.config.ts

bench: ## the benchmarks, as ratios against what they are compared with
	@.ci/setup test
	@$(MAKE) --no-print-directory release
	cargo bench --locked --quiet -p relink --bench pages
	.ci/with-postgres cargo bench --locked --quiet -p relink --bench tokens
	cargo bench --locked --quiet -p relink --bench webhooks

TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: site
site: ## the browser's half: WebAssembly, script and style in target/site
	@.ci/setup build
	cargo run --locked -p xtask -- site

build: site ## the debug binary with the browser's half inside
	cargo build --locked -p relink

release: site ## the one file to deploy: target/release/relink
	cargo build --locked --release -p relink

check:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p relink-frontend --target wasm32-unknown-unknown -- -D warnings
	cargo deny --locked check licenses bans sources
	.ci/advisories

unit:
	.ci/with-postgres cargo test --locked --workspace --quiet

browser:
	cd end2end && npx playwright test

pictures: build ## every page in every state, theme and size, in end2end/pictures
	@.ci/setup test
	cd end2end && PICTURES=yes npx playwright test
