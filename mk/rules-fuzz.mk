# One libFuzzer program for each tests/fuzz/fuzz_NAME.c, in a build of its own with clang:
#   make fuzz [FUZZ_SECONDS=20] [FUZZ=NAME]
# Crashes are kept in build/fuzz/crash-NAME-*; corpora grow in build/fuzz/corpus/NAME,
# starting with tests/fuzz/seeds/NAME if it exists. With CI set the random seed is fixed.
FUZZ_SECONDS ?= 20
FUZZ ?= *
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_$(FUZZ).c)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(O)/tests/%,$(FUZZ_SRC))

$(O)/tests/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(PLUGIN_ARCHIVES) $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PLUGIN_LIBS) $(LIB_LIBS)
$(O)/tests/fuzz/fuzz_milvus_answer.o: ALL_CFLAGS += -I$(O)/gen
$(O)/tests/fuzz/fuzz_milvus_answer.o: $(O)/gen/milvus/milvus.pb-c.c

.PHONY: fuzz fuzz-run
fuzz: ## fuzz every target for FUZZ_SECONDS
	$(MAKE) MODE=fuzz O=build/fuzz CC="$${CLANG:-clang-14}" fuzz-run
fuzz-run: $(FUZZ_BIN)
	@for t in $(patsubst fuzz_%,%,$(notdir $(FUZZ_BIN))); do \
	    mkdir -p $(O)/corpus/$$t; echo "fuzzing $$t"; \
	    $(O)/tests/fuzz_$$t $(if $(CI),-seed=1) -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 -verbosity=0 \
	        -artifact_prefix=$(O)/crash-$$t- $(O)/corpus/$$t $$(ls -d tests/fuzz/seeds/$$t 2>/dev/null) || exit 1; \
	done
