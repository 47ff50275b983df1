# Everything a developer or operator types. `make run` and `make test` need nothing but Debian and rustup.
export PATH := $(HOME)/.cargo/bin:$(PATH)
NPM_QUIET := --no-audit --no-fund --loglevel=error

.PHONY: run test check bench app app-test fuzz help

help:
	@echo "make run     build and start the whole server; prints the URL to open"
	@echo "make test    everything that CI tests"
	@echo "make check   formatting, lints, docs, licences"
	@echo "make bench   the figures of README.md"

run: app
	@scripts/install-missing run
	cargo run --locked --package homeline -- serve

app:
	@scripts/install-missing run
	@scripts/build-app

test: app
	@scripts/install-missing test
	scripts/test

check:
	@scripts/install-missing test
	scripts/check

bench: app
	@scripts/install-missing test
	scripts/bench
