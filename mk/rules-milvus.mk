# Tests against Milvus servers, which need a package index the first time; part of `make check`.
MILVUS_TEST_SRC := $(wildcard tests/milvus/*.c)
MILVUS_TEST_BIN := $(patsubst tests/milvus/%.c,$(O)/tests/milvus_%,$(MILVUS_TEST_SRC))
$(O)/tests/milvus_%: $(O)/tests/milvus/%.o $(PART_ARCHIVES) $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(PART_LIBS) $(LIB_LIBS)

.PHONY: check-milvus
check-milvus: $(MILVUS_TEST_BIN) $(O)/tests/test_store_random $(PROGRAMS) ## tests against Milvus servers started from packages
	SCRY_BUILD=$(abspath $(O)) prove $(filter-out tests/milvus/servers.sh,$(wildcard tests/milvus/*.sh))

$(O)/tests/test_milvus_peer: $(O)/tests/unit/milvus/peer.o
$(O)/tests/unit/test_milvus_peer.o: ALL_CFLAGS += -Itests/unit
$(O)/tests/unit/test_milvus.o: ALL_CFLAGS += -I$(O)/gen
$(O)/tests/unit/test_milvus.o: $(O)/gen/milvus/milvus.pb-c.c
# The client is in the part.
$(O)/bench/milvus: $(O)/bench/milvus.o $(PART_ARCHIVES) $(O)/libscry.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PART_LIBS) $(LIB_LIBS)
