# Tests: programs in tests/unit, scripts in tests/e2e, all printing TAP; as many at a time as there are processors.
.PHONY: test unit run-tests
PROVE ?= prove
unit: $(UNIT_BIN) $(PROGRAMS) ## unit tests alone
	$(TEST_ENV) $(PROVE) -j$$(nproc) $(UNIT_BIN)

E2E := $(wildcard tests/e2e/*.sh)
TEST_ENV = CMOCKA_MESSAGE_OUTPUT=TAP SCRY_TOP=$(CURDIR) SCRY_BUILD=$(abspath $(O)) $(TEST_ENV_$(MODE))
# Sanitizers need more address space and system calls than a confined decoder is allowed.
TEST_ENV_asan := SCRY_TEST_UNCONFINED=1 UBSAN_OPTIONS=print_stacktrace=1
$(O)/tests/test_heif_needs: $(O)/src/decoder/heif_adapt.o
$(O)/tests/test_cut: $(O)/src/decoder/cut.o
TEST_TOOLS := $(O)/tests/metadata_dump
run-tests: $(UNIT_BIN) $(PROGRAMS) $(TEST_TOOLS)
	$(TEST_ENV) $(PROVE) -j$$(nproc) $(UNIT_BIN) $(filter-out %/lib.sh,$(E2E)) </dev/null

test: deps-test ## unit, golden and end-to-end tests
	@$(again) MODE=$(MODE) all-tests
	@$(MAKE) --no-print-directory MODE=$(MODE) run-tests

.PHONY: all-tests
all-tests: $(UNIT_BIN) $(PROGRAMS) $(TEST_TOOLS)
