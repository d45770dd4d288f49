# The store's longer checks; the scan by itself.
.PHONY: bench-scan check-store
bench-scan: $(O)/bench/scan ## exact scan against plain reading: ROWS= DIM= CLUSTERS= FOLDER=
	$(O)/bench/scan $(or $(ROWS),1000000) $(or $(DIM),512) $(or $(CLUSTERS),0) $(FOLDER)

check-store: $(O)/tests/test_store_crash $(O)/tests/test_store_faults ## 150 kills, every failing write
	SCRY_BUILD=$(abspath $(O)) prove tests/check/store_kills.sh
