GO        ?= go
# Of all tests. A timeout is for one package.
TESTFLAGS ?= -timeout=25m
# SEED=n repeats the order of the tests and, in those that draw at random, what they drew.
SEED      ?=
FUZZTIME  ?= 10s
# For how long make verify attacks, such as 24h; and for how long make test does.
VERIFY_TIME      ?= 13m
VERIFY_TEST_TIME ?= 40s
VERIFYFLAGS      ?=
OUTAGE_TIME      ?= 60s
OUTAGEFLAGS      ?=
# MUTANT=regexp chooses among the mutants.
MUTANT    ?=
BENCHFLAGS ?=
# Such as --only 'heap|miss' or --rounds 12.
COMPAREFLAGS ?=
# Of the program larder, in bytes: without debug information, and with it; 0 is no limit.
SIZE_LIMIT       ?= 20000000
PLAIN_SIZE_LIMIT ?= 0
# Where make hitratio finds traces.
TRACES    ?= traces
COVER     ?= cover.out

SHUFFLE := -shuffle=$(if $(SEED),$(SEED),on)
export GO FUZZTIME
ifneq ($(SEED),)
export LARDER_SEED := $(SEED)
endif

# The go.work file lists the modules; the pattern "work" is all their packages.

.DEFAULT_GOAL := help
.PHONY: help check cross tidy test race verify outage mutants fuzz bench bench-compare profiles readme codecs survive hitratio hitratio-check cover release-check release

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

check: ## gofmt and go vet, of every module
	@files=$$(gofmt -l .) && if [ -n "$$files" ]; then echo "not formatted:"; echo "$$files"; exit 1; fi
	$(GO) vet work

# What people import or run, without the programs that bring a database or other
# libraries for comparison: to compile these for every system takes minutes.
LIBRARIES := ./... ./codec/cbor/... ./codec/compress/... ./promcache/... ./otelcache/...
SHIPPED   := $(LIBRARIES) ./cmd/larder/...

# The package whose tests take longest goes first, beside all others.
LONGEST := ./redisstore

# What is only looked at is compiled without optimising, in half the time.
QUICK := -gcflags=all='-N -l'

cross: ## go vet or go build for systems and sizes of words that the tests do not run on
	GOOS=windows GOARCH=386 $(GO) vet $(QUICK) $(LIBRARIES)
	GOOS=windows GOARCH=386 $(GO) build $(QUICK) ./cmd/larder/...
	GOOS=darwin $(GO) build $(QUICK) $(SHIPPED)

tidy: ## fail unless every go.mod is tidy
	scripts/tidy.sh

test: ## all tests of all modules, and a short verify; installs redis-server, PostgreSQL and Chromium if they are missing
	scripts/ensure-redis.sh
	scripts/ensure-postgres.sh
	scripts/ensure-chromium.sh
	$(GO) test $(SHUFFLE) $(TESTFLAGS) $(LONGEST) work
	$(GO) run ./cmd/larder verify --redis spawn-both --time $(VERIFY_TEST_TIME) $(if $(SEED),--seed $(SEED)) $(VERIFYFLAGS)

race: ## the same under the race detector, but for the comparisons and the browser; installs a C compiler if it is missing
	scripts/ensure-redis.sh
	scripts/ensure-postgres.sh
	scripts/ensure-cc.sh
	CGO_ENABLED=1 $(GO) test -race -count=1 $(SHUFFLE) $(TESTFLAGS) $(LONGEST) $(SHIPPED) ./examples/shop/... ./internal/pgtest/...

verify: ## attack the guarantees on real servers for VERIFY_TIME, from SEED on; fails if one does not hold
	scripts/ensure-redis.sh
	$(GO) run ./cmd/larder verify --time $(VERIFY_TIME) $(if $(SEED),--seed $(SEED)) $(VERIFYFLAGS)

outage: ## measure reads for OUTAGE_TIME while Redis dies in all ways; fails if a limit does not hold
	scripts/ensure-redis.sh
	$(GO) run ./cmd/larder bench scenario outage --time $(OUTAGE_TIME) $(if $(SEED),--seed $(SEED)) $(OUTAGEFLAGS)

mutants: ## break each rule of the protocol in turn; fails if a test does not notice
	scripts/ensure-redis.sh
	$(GO) run ./internal/mutants $(if $(MUTANT),-run '$(MUTANT)')

fuzz: ## every fuzz target of every module, for FUZZTIME each
	scripts/ensure-redis.sh
	scripts/fuzz.sh

bench: ## larder bench, with BENCHFLAGS, and one round of bench-compare, which is shown but not kept
	scripts/ensure-redis.sh
	$(GO) run ./cmd/larder bench $(BENCHFLAGS)
	$(GO) run ./benchmarks/compare --rounds 1 --out ''

bench-compare: ## measure all rivals in six rounds, and put the tables into docs/benchmarks and README.md
	scripts/ensure-redis.sh
	$(GO) run ./benchmarks/compare --readme README.md $(COMPAREFLAGS)

profiles: ## profiles of the main paths, as text, into docs/benchmarks/profiles
	scripts/ensure-redis.sh
	$(GO) run ./benchmarks/compare --profiles docs/benchmarks/profiles

readme: ## run the benchmark and put its output into README.md
	scripts/readme-bench.sh $(BENCHFLAGS)

codecs: ## measure codecs and compressors, and put the tables into docs/codecs.md
	$(GO) run ./codec/compare -into docs/codecs.md

survive: ## let other libraries meet the same accidents, and write docs/benchmarks/survival.md
	scripts/ensure-redis.sh
	$(GO) run ./benchmarks/survive >docs/benchmarks/survival.md.new
	mv docs/benchmarks/survival.md.new docs/benchmarks/survival.md

hitratio: ## replay the traces (*.trc.gz) in the directory TRACES under several libraries, and write docs/benchmarks/hitratio.md
	$(GO) run ./benchmarks/hitratio $(TRACES)/*.trc.gz >docs/benchmarks/hitratio.md.new
	mv docs/benchmarks/hitratio.md.new docs/benchmarks/hitratio.md

hitratio-check: ## compare the hits that larder simulate finds with those of plain references, on the traces in the directory TRACES
	LARDER_TRACES=$(abspath $(TRACES)) $(GO) test -count=1 -v -run TestHitRatiosEqualThoseOfTheReferences ./cmd/larder/internal/policy

cover: ## test coverage, by function, and the profile in COVER
	scripts/ensure-redis.sh
	scripts/ensure-postgres.sh
	scripts/ensure-chromium.sh
	$(GO) test $(SHUFFLE) $(TESTFLAGS) -coverpkg=github.com/larder-cache/larder/... -coverprofile=$(COVER) work
	$(GO) tool cover -func=$(COVER)

release-check: ## install and use what a release would be, from a proxy made of the work tree; fails if larder is too large
	$(GO) run ./internal/releasecheck -limit $(SIZE_LIMIT) -plain-limit $(PLAIN_SIZE_LIMIT)

release: ## larder for every system, with checksums, into dist, as VERSION
	VERSION=$(VERSION) scripts/release.sh
