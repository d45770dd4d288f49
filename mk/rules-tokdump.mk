# Programs that the parity scripts run; not part of the release.
$(O)/tests/tok_dump: $(O)/tests/tools/tok_dump.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
$(O)/tests/metadata_dump: $(O)/tests/tools/metadata_dump.o $(O)/src/decoder/file_headers.o $(O)/src/decoder/formats/unpack.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS) $(call pkg,libs,zlib libbrotlidec)
$(O)/tests/ocr_dump: $(O)/tests/tools/ocr_dump.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
