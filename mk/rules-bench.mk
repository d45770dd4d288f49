# scry against its public peers: `make bench [STAGE="tower scan"] [ROUNDS=5]` (bench/README.md).
# One program for each bench/NAME.c.
BENCH_BIN := $(patsubst bench/%.c,$(O)/bench/%,$(wildcard bench/*.c))
$(O)/bench/%: $(O)/bench/%.o $(LIBSCRY)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(call beside,/..) -o $@ $(filter %.o %.a,$^) $(LIBSCRY) $(PLUGIN_LIBS) $(LIB_LIBS)
$(O)/bench/tune $(O)/bench/tune_products: $(O)/libscry-tune.a
.PRECIOUS: $(BENCH_BIN:=.o)

.PHONY: bench bench-programs
bench: ## measure against the peers, which pip installs: STAGE="tower scan", all without
	@$(again) all bench-programs
	@SCRY_BUILD=$(abspath $(O)) python3 bench/run.py --stage "$(STAGE)" --rounds $(or $(ROUNDS),5)
bench-programs: $(BENCH_BIN) $(O)/tests/ocr_dump
