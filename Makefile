# Everything a developer or operator types. `make run` and `make test` need nothing but Debian and rustup.
export PATH := $(HOME)/.cargo/bin:$(PATH)
NPM_QUIET := --no-audit --no-fund --loglevel=error

.PHONY: run test check bench bench-peers app device help

help:
	@echo "make run     build and start the whole server; prints the URL to open"
	@echo "make test    everything that CI tests"
	@echo "make device  build the home device without a screen: target/debug/homeline-device"
	@echo "make check   formatting, lints, docs, licences"
	@echo "make bench   the figures: engine, signaling, and the packet path beside its floor"
	@echo "make bench-peers  the packet path beside Janus on the same load"

run: app
	cargo run --locked --package homeline -- serve

app:
	@scripts/install-missing run
	@scripts/build-app

device:
	@scripts/install-missing device
	cargo build --locked --package homeline-device

test: app
	@scripts/install-missing test
	scripts/test

check:
	@scripts/install-missing test
	scripts/check

bench: app
	@scripts/install-missing test
	scripts/bench

bench-peers: app
	@scripts/install-missing peers
	scripts/bench peers
