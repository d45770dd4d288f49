.PHONY: bench-decode
bench-decode: $(O)/bench/decode $(O)/scry-decode ## the decoder's bench program

# The decoder without its main program, for fuzzing within one process.
DECODE_LIB_SRC := $(filter-out src/decoder/main.c,$(DECODE_SRC)) src/image/formats.c src/image/sniff.c
$(O)/libscry-decode.a: $(call obj,$(DECODE_LIB_SRC)) $(O)/gen/build.o
	rm -f $@
	$(AR) rcs $@ $^
$(O)/tests/fuzz_decoder_%: $(O)/tests/fuzz/fuzz_decoder_%.o $(O)/libscry-decode.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(DECODE_LIBS)
