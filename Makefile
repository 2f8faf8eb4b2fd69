# Every target works from a fresh clone with Go and a C compiler; sh .ci/setup
# installs what else is needed.
GO ?= go
LINT := .ci/bin/golangci-lint

.DEFAULT_GOAL := help
.PHONY: help build test lint bench bench-match bench-pages accuracy api-check demo full picture deb clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

build: ## build bin/touchstone
	@sh .ci/setup
	$(GO) build -o bin/touchstone ./cmd/touchstone

test: ## everything that has to hold, with the seconds of each phase
	sh .ci/test

lint: ## the arrows between the rooms, and the usual mistakes
	@sh .ci/setup test
	$(LINT) run ./... ./.ci/report ./.ci/accuracy

bench: ## the benchmarks of every package, then the whole path (figures: docs/benchmarks.md)
	@sh .ci/setup
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v /internal/bench)
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./internal/bench

accuracy: build ## score dedupe on the labelled sets in TOUCHSTONE_DATA (writes docs/accuracy.md)
	$(GO) run ./.ci/accuracy bin/touchstone "$(TOUCHSTONE_DATA)" $(SETS)

bench-pages: ## every page over a large store, kept in TOUCHSTONE_BENCH_WORLD (TOUCHSTONE_BENCH_ROWS golden records; TOUCHSTONE_BENCH_POSTGRES an empty database; figures: docs/benchmarks.md)
	$(GO) test -v -run '^$$' -bench Pages -benchtime 1x -timeout 2h ./internal/bench

bench-match: build ## dedupe beside Splink 5 on one generated file (TOUCHSTONE_DATA; ROWS="100000 1000000"; figures: docs/benchmarks.md)
	$(GO) run ./internal/bench/match bin/touchstone "$(TOUCHSTONE_DATA)" $(ROWS)

demo: ## see it at work on made-up customers
	sh .ci/demo

full: ## make test with 1,000 kills (TOUCHSTONE_KILLS), 2,000 histories through each database (TOUCHSTONE_HISTORIES) and an hour of random input (TOUCHSTONE_FUZZ_SECONDS)
	TOUCHSTONE_TEST_TIMEOUT=6h TOUCHSTONE_KILLS=$${TOUCHSTONE_KILLS:-1000} TOUCHSTONE_HISTORIES=$${TOUCHSTONE_HISTORIES:-2000} TOUCHSTONE_FUZZ_SECONDS=$${TOUCHSTONE_FUZZ_SECONDS:-3600} sh .ci/test

api-check: ## hold the running API against /openapi.json with schemathesis (needs Python 3; SCHEMATHESIS_EXAMPLES)
	sh .ci/schemathesis

picture: ## take the picture of the README anew
	sh .ci/picture

deb: build ## make a Debian package of bin/touchstone (dpkg-deb; version: TOUCHSTONE_VERSION)
	sh internal/deploy/deb.sh bin/touchstone bin

clean: ## remove what was built; data folders stay
	rm -rf bin
	$(GO) clean -testcache
