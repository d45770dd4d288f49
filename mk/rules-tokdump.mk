# Programs that the parity scripts run; not part of the release.
$(O)/tests/tok_dump: $(O)/tests/tools/tok_dump.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
