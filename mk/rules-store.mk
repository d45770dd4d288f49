# The store's longer checks and the scan's bench.
.PHONY: bench-scan check-store
$(O)/bench/scan: $(O)/bench/scan.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
bench-scan: $(O)/bench/scan ## exact scan against plain reading: ROWS= DIM= CLUSTERS=
	$(O)/bench/scan $(or $(ROWS),1000000) $(or $(DIM),512) $(or $(CLUSTERS),0)

check-store: $(O)/tests/test_store_crash $(O)/tests/test_store_faults ## 150 kills, every failing write
	SCRY_BUILD=$(abspath $(O)) prove tests/check/store_kills.sh
