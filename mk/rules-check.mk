# What continuous integration runs after `make test`, at most 20 minutes on 2 processors, and
# its stages one by one.
.PHONY: check everywhere soak lint fmt asan cover
check: deps-check ## what CI runs after make test: sanitizers, kills, servers, browser, fuzzing
	@$(again) all
	@tools/check.sh

everywhere: ## packages, wheel, container, arm64 and other releases in root file systems of their own: SUITES="wheel sid" (root, hours)
	@tools/everywhere.sh $(SUITES)

soak: ## a server under ordinary and hostile traffic for SOAK_SECONDS (an hour)
	@$(again) all
	@SCRY_TOP=$(CURDIR) SCRY_BUILD=$(CURDIR)/$(O) tests/soak/soak.sh

lint: deps-lint ## layers, forbidden functions, limits, headers that compile alone
	@$(again) all
	@python3 tools/lint.py $(O)

# Line breaks and comments in columns are the author's; clang-format does the rest of a new file.
fmt: ## lay out FILES="a.c b.h" by .clang-format
	clang-format-14 -i $(FILES)

asan: ## the tests under address and undefined sanitizers
	@$(again) MODE=asan all-tests
	@$(MAKE) --no-print-directory MODE=asan run-tests

cover: ## line coverage of the tests, by folder
	@$(again) MODE=debug O=build/cover CFLAGS=--coverage LDFLAGS=--coverage all-tests
	-$(MAKE) --no-print-directory MODE=debug O=build/cover CFLAGS=--coverage LDFLAGS=--coverage run-tests
	@tools/cover.sh build/cover
