# Which folder goes into which program, and with which libraries.
#
# libscry.a    everything but the command line, the server and the decoder
# scry         src/cli on top of it
# scry-decode  the only program linked with picture libraries; loads scry-formats.so for more
# scry-X.so    parts that scry opens when a command needs them (src/base/part.h)

# Parts: their sources and packages. They may use all of libscry.a, never the reverse.
PART_NAMES := milvus serve fetch thumbs
PART_SRC_milvus := $(wildcard src/milvus/*.c src/store/remote*.c src/store/filter_milvus.c)
PART_PKGS_milvus := libnghttp2 libprotobuf-c libssl
PART_OBJ_milvus := $(O)/gen/milvus/milvus.pb-c.o
PART_SRC_serve := $(wildcard src/server/*.c)
PART_PKGS_serve := libmicrohttpd
PART_OBJ_serve := $(O)/gen/web_assets.o $(O)/gen/web_bytes.o
PART_SRC_fetch := $(wildcard src/fetch/*.c)
PART_PKGS_fetch := libcurl
PART_SRC_thumbs := $(wildcard src/thumbs/*.c)
PART_PKGS_thumbs := chafa

LIB_DIRS := base nn model resize image vector store engine fetch
LIB_SRC := $(filter-out $(foreach p,$(PART_NAMES),$(PART_SRC_$(p))), \
             $(foreach d,$(LIB_DIRS),$(wildcard src/$(d)/*.c)))
CLI_SRC := $(wildcard src/cli/*.c)
DECODE_SRC := $(wildcard src/decoder/*.c src/resize/*.c) src/image/wire.c \
              $(addprefix src/base/,alloc.c cpu.c error.c buf.c log.c)

obj = $(patsubst %.c,$(O)/%.o,$(1))

# What is missing is said when something is built: `make demo` and its like install first and
# start a second make then.
no_build := $(filter help clean demo test check deb deps%,$(MAKECMDGOALS))
pkg = $(shell pkg-config --$(1) $(2) $(if $(no_build),2>/dev/null))
LIB_PKGS := jansson libutf8proc libcrypto sqlite3
LIB_LIBS := $(call pkg,libs,$(LIB_PKGS)) -ldl -lm
DECODE_PKGS := libjpeg libseccomp
DECODE_LIBS := $(call pkg,libs,$(DECODE_PKGS)) -ldl -lm
# What scry-decode loads for formats other than JPEG; it uses functions of scry-decode.
FORMATS_SRC := $(wildcard src/decoder/formats/*.c)
FORMATS_PKGS := vips gmodule-2.0 libjxl libraw

# Flags of single folders or files.
$(O)/src/resize/%.o: ALL_CFLAGS += -ffp-contract=off   # Pillow's weights to the last bit
$(O)/src/decoder/%.o: ALL_CFLAGS += $(call pkg,cflags,$(DECODE_PKGS))
$(O)/src/decoder/formats/%.o: ALL_CFLAGS += $(call pkg,cflags,$(FORMATS_PKGS))
$(O)/src/thumbs/%.o: ALL_CFLAGS += $(call pkg,cflags,chafa)
# Plain C loops that only -O3 turns into vector instructions: what has no AVX2 runs them.
ifeq ($(MODE),release)
$(O)/src/vector/scan_kernels_scalar.o $(O)/src/resize/kernel_scalar.o: ALL_CFLAGS += -O3
endif
# GCC's first scheduling, which only targets with many registers have, copies every sum in each round.
ifneq ($(findstring aarch64,$(CC)$(shell uname -m)),)
$(O)/src/nn/kernels_generic.o: ALL_CFLAGS += -fno-schedule-insns
endif

# Milvus's messages: C made of the .proto while building.
$(O)/gen/milvus/milvus.pb-c.c: src/milvus/milvus.proto
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F)
$(O)/gen/milvus/%.o: $(O)/gen/milvus/%.c
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(call obj,$(wildcard src/milvus/*.c)): $(O)/gen/milvus/milvus.pb-c.c
$(call obj,$(wildcard src/milvus/*.c)): ALL_CFLAGS += -I$(O)/gen

# The page: web/ as a table and its bytes.
$(O)/gen/web_assets.c: tools/embed.sh $(shell find web -type f 2>/dev/null)
	@mkdir -p $(@D)
	$(Q)tools/embed.sh web $@ $(O)/gen/web_bytes.S
$(O)/gen/web_assets.o: $(O)/gen/web_assets.c
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(O)/gen/web_bytes.o: $(O)/gen/web_assets.c
	$(Q)$(CC) -fPIC -c -o $@ $(O)/gen/web_bytes.S

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/libscry.a: $(call obj,$(LIB_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

PROGRAMS := $(O)/libscry.a

# Each part as an archive (unit tests link it) and as the shared object made of it, which
# brings what it needs of libscry.a hidden inside.
define part
$$(O)/libscry-$(1).a: $$(call obj,$$(PART_SRC_$(1))) $$(PART_OBJ_$(1))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@
	$$(Q)ar rcs $$@ $$^
$$(O)/scry-$(1).so: $$(O)/libscry-$(1).a $$(O)/libscry.a
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -shared -Wl,--exclude-libs,libscry.a -o $$@ \
	    -Wl,--whole-archive $$< -Wl,--no-whole-archive $$(O)/libscry.a $$(call pkg,libs,$$(PART_PKGS_$(1))) $$(LIB_LIBS)
PARTS += $$(O)/scry-$(1).so
PART_ARCHIVES += $$(O)/libscry-$(1).a
PART_LIBS += $$(call pkg,libs,$$(PART_PKGS_$(1)))
endef
$(foreach p,$(PART_NAMES),$(if $(PART_SRC_$(p)),$(eval $(call part,$(p)))))
PROGRAMS += $(PARTS)
ifneq ($(wildcard src/cli/main.c),)
$(O)/scry: $(call obj,$(CLI_SRC)) $(O)/libscry.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIB_LIBS)
PROGRAMS += $(O)/scry
ifeq ($(O),build/release)
scry: $(O)/scry
	$(Q)cp -f $< $@
PROGRAMS += scry
endif
endif
ifneq ($(wildcard src/decoder/main.c),)
$(O)/scry-decode: $(call obj,$(DECODE_SRC)) | $(O)/scry-formats.so
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $^ $(DECODE_LIBS)
$(O)/scry-formats.so: $(call obj,$(FORMATS_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ $(filter-out -fopenmp -lstdc++,$(call pkg,libs,$(FORMATS_PKGS))) -lm
PARTS += $(O)/scry-formats.so
PROGRAMS += $(O)/scry-decode $(O)/scry-formats.so
endif

# One test program for each tests/unit/test_NAME.c.
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(O)/tests/%,$(UNIT_SRC))
$(O)/tests/%: $(O)/tests/unit/%.o $(PART_ARCHIVES) $(O)/libscry.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(PART_LIBS) $(LIB_LIBS)
.PRECIOUS: $(O)/tests/unit/%.o

-include $(shell find $(O) -name '*.d' 2>/dev/null)
