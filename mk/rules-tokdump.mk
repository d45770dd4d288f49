# Programs that scripts run which compare with others; not part of the release.
$(O)/tests/tok_dump $(O)/tests/ocr_dump $(O)/tests/places_dump: $(O)/tests/%: $(O)/tests/tools/%.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
$(O)/tests/metadata_dump: $(O)/tests/tools/metadata_dump.o $(O)/src/decoder/file_headers.o $(O)/src/decoder/formats/unpack.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS) $(call pkg,libs,zlib libbrotlidec)
