# Tests against Milvus servers, which need a package index the first time; part of `make check`.
MILVUS_TEST_SRC := $(wildcard tests/milvus/*.c)
MILVUS_TEST_BIN := $(patsubst tests/milvus/%.c,$(O)/tests/milvus_%,$(MILVUS_TEST_SRC))
$(O)/tests/milvus_%: $(O)/tests/milvus/%.o $(PLUGIN_ARCHIVES) $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(PLUGIN_LIBS) $(LIB_LIBS)

.PHONY: check-milvus
check-milvus: $(MILVUS_TEST_BIN) $(O)/bench/milvus_rows $(O)/tests/test_store_random $(PROGRAMS) ## tests against Milvus servers started from packages
	SCRY_BUILD=$(abspath $(O)) prove -j2 $(filter-out tests/milvus/servers.sh tests/milvus/lib.sh tests/milvus/words_data.sh,$(wildcard tests/milvus/*.sh))

# It opens the plugin, which needs the program to be linked with libscry.so.
$(O)/tests/test_store_random: $(O)/tests/unit/test_store_random.o $(LIBSCRY)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(call beside,/..) -o $@ $^ -lcmocka $(LIB_LIBS)
$(O)/tests/test_milvus_peer: $(O)/tests/unit/milvus/peer.o
$(O)/tests/unit/test_milvus_peer.o: ALL_CFLAGS += -Itests/unit
$(O)/tests/unit/test_milvus.o: ALL_CFLAGS += -I$(O)/gen
$(O)/tests/unit/test_milvus.o: $(O)/gen/milvus/milvus.pb-c.c
# The client is in the plugin.
$(O)/bench/milvus: $(O)/libscry-milvus.a

# The same client, and its tests against a misbehaving peer, over libcurl: bench/transport/curl.c.
.PHONY: bench-transport
bench-transport: $(O)/bench/milvus $(O)/bench/milvus-curl $(O)/bench/peer-curl $(O)/tests/test_milvus_peer ## the Milvus client over nghttp2 and over libcurl: processor time, faults survived
	SCRY_BUILD=$(abspath $(O)) bench/transport/run.sh
$(O)/bench/milvus-curl $(O)/bench/peer-curl: $(O)/bench/transport/curl.o $(O)/libscry-milvus.a $(O)/libscry.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(PLUGIN_LIBS) $(LIB_LIBS)
$(O)/bench/milvus-curl: $(O)/bench/milvus.o
$(O)/bench/peer-curl: $(O)/tests/unit/test_milvus_peer.o $(O)/tests/unit/milvus/peer.o
