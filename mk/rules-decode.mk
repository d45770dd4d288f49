.PHONY: bench-decode
$(O)/bench/decode: $(O)/bench/decode.o $(O)/libscry.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
bench-decode: $(O)/bench/decode $(O)/scry-decode ## the decoder's bench program
