# Which folder goes into which program, and with which libraries.
#
# libscry.so   everything but the command line, the server and the decoder; libscry.a holds the same,
#              for tests, fuzzing and programs that link it statically
# scry         src/cli, linked with libscry.so
# scry-decode  the only program linked with picture libraries; loads scry-formats.so for more
# scry-X.so    plugins, loaded when a command needs them (src/base/plugin.h) and linked with
#              libscry.so, so that a process has one copy of it

# Plugins: their sources and packages. They may use all of libscry, which uses nothing of them.
PLUGIN_NAMES := milvus serve fetch thumbs tune
PLUGIN_SRC_milvus := $(wildcard src/milvus/*.c src/store/milvus/*.c)
PLUGIN_PKGS_milvus := libnghttp2 libprotobuf-c libssl libcrypto
PLUGIN_OBJ_milvus := $(O)/gen/milvus/milvus.pb-c.o
PLUGIN_SRC_serve := $(wildcard src/server/*.c)
PLUGIN_PKGS_serve := libmicrohttpd gnutls libcrypto
PLUGIN_OBJ_serve := $(O)/gen/web_assets.o $(O)/gen/web_bytes.o
PLUGIN_SRC_fetch := $(wildcard src/fetch/*.c)
PLUGIN_PKGS_fetch := libcurl
PLUGIN_SRC_thumbs := $(wildcard src/thumbs/*.c)
PLUGIN_PKGS_thumbs := chafa
# With the operations of nn that only training needs: inference does not load them.
PLUGIN_SRC_tune := $(wildcard src/tune/*.c src/nn/*_backward.c)

LIB_DIRS := base nn tokenizer model ocr resize metadata image vector store store/local engine fetch
LIB_SRC := $(filter-out $(foreach p,$(PLUGIN_NAMES),$(PLUGIN_SRC_$(p))), \
             $(foreach d,$(LIB_DIRS),$(wildcard src/$(d)/*.c)))
CLI_SRC := $(wildcard src/cli/*.c)
DECODE_SRC := $(wildcard src/decoder/*.c src/resize/*.c src/metadata/*.c) src/image/wire.c \
              $(addprefix src/base/,alloc.c cpu.c descriptor.c error.c buf.c file.c library.c log.c plugin.c system.c utf8_bytes.c)

obj = $(patsubst %.c,$(O)/%.o,$(1))

# pkg-config reports missing packages only when something is built: `make demo` and others install
# them first and then start a second make.
no_build := $(filter help clean demo test check lint deb deps%,$(MAKECMDGOALS))
pkg = $(shell $(PKG_CONFIG) --$(1) $(2) $(if $(no_build),2>/dev/null))
LIB_PKGS := jansson sqlite3 zlib
LIB_LIBS := $(call pkg,libs,$(LIB_PKGS)) -ldl -lm
DECODE_PKGS := libjpeg libseccomp
DECODE_LIBS := $(call pkg,libs,$(DECODE_PKGS)) -ldl -lm
# What scry-decode loads for formats other than JPEG; it uses functions of scry-decode.
FORMATS_SRC := $(wildcard src/decoder/formats/*.c)
FORMATS_PKGS := vips gmodule-2.0 libjxl libraw zlib libbrotlidec

# Flags of single folders or files.
# A switch over kinds (of filters, of parameters) names all of them: the compiler finds what a new one forgot.
$(O)/src/store/%.o $(O)/src/engine/%.o: ALL_CFLAGS += -Wswitch-enum
# Pillow's weights to the last bit, and bounds and scores that are the same on every processor.
$(O)/src/resize/%.o $(O)/src/vector/%.o: ALL_CFLAGS += -ffp-contract=off
$(O)/src/decoder/%.o: ALL_CFLAGS += $(call pkg,cflags,$(DECODE_PKGS))
$(O)/src/decoder/formats/%.o: ALL_CFLAGS += $(call pkg,cflags,$(FORMATS_PKGS))
$(O)/src/thumbs/%.o: ALL_CFLAGS += $(call pkg,cflags,chafa)
# Plain C loops that only -O3 turns into vector instructions: what has no AVX2 runs them.
ifeq ($(MODE),release)
$(O)/src/vector/scan_kernels_scalar.o $(O)/src/resize/kernel_scalar.o $(O)/src/nn/activation_backward.o: ALL_CFLAGS += -O3
endif
# GCC's first scheduling, which only targets with many registers have, copies every sum in each round.
ifneq ($(findstring aarch64,$(CC)$(shell uname -m)),)
$(O)/src/nn/kernels_generic.o $(O)/src/nn/kernels_neon.o $(O)/src/nn/kernels_neon_tiles.o: ALL_CFLAGS += -fno-schedule-insns
endif

# Milvus's messages: C made of the .proto while building.
$(O)/gen/milvus/milvus.pb-c.c: src/milvus/milvus.proto
	@mkdir -p $(@D)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F) 2>$(@D)/protoc.log || { cat $(@D)/protoc.log >&2; false; }
$(O)/gen/milvus/%.o: $(O)/gen/milvus/%.c $(O)/gen/flags
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(call obj,$(wildcard src/milvus/*.c)): $(O)/gen/milvus/milvus.pb-c.c
$(call obj,$(wildcard src/milvus/*.c)): ALL_CFLAGS += -I$(O)/gen

# The table of places, which places.c includes.
$(call obj,src/store/places.c): places/places.bin

# The page: web/, its scripts in one, as a table and its bytes.
$(O)/gen/web_assets.c: tools/embed.sh tools/bundle.sh tools/bundle.awk $(shell find web -type f 2>/dev/null)
	@mkdir -p $(@D)
	$(Q)tools/bundle.sh web $(O)/gen/web
	$(Q)tools/embed.sh $(O)/gen/web $@ $(O)/gen/web_bytes.S
$(O)/gen/web_assets.o: $(O)/gen/web_assets.c $(O)/gen/flags
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(O)/gen/web_bytes.o: $(O)/gen/web_assets.c $(O)/gen/flags
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $(O)/gen/web_bytes.S

# Objects are made again when their flags change, warnings aside: `make DEV=1` and `make` share them.
$(O)/gen/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CC) $(filter-out $(WARN),$(ALL_CFLAGS)))' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(O)/%.o: %.c $(O)/gen/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The build id, which all objects of one build carry and check in each other: a hash of the
# sources and of how they are compiled. The file changes only when the id does.
ifndef no_build
BUILD_ID := $(shell { echo '$(MODE) $(VERSION) $(CC) $(filter-out -ffile-prefix-map=% -fdebug-prefix-map=% -fmacro-prefix-map=%,$(CPPFLAGS) $(CFLAGS))'; \
    find src include web mk Makefile -type f | LC_ALL=C sort | xargs sha256sum; } | sha256sum | cut -c 1-16)
endif
$(O)/gen/build.c: FORCE
	@mkdir -p $(@D)
	@echo 'extern const char scry_build[17]; const char scry_build[17] = "$(BUILD_ID)";' >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(O)/gen/build.o: $(O)/gen/build.c $(O)/gen/flags
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
.PHONY: FORCE

$(O)/libscry.a: $(call obj,$(LIB_SRC)) $(O)/gen/build.o
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# The library shows C programs what the public headers declare; the node SCRY_PRIVATE has what
# else the program and the plugins of the same build use.
SONAME := libscry.so.0
LIBSCRY := $(O)/$(SONAME)
$(O)/libscry.names: $(wildcard include/scry/*.h) mk/sources.mk
	@mkdir -p $(@D)
	$(Q)sed '/^typedef/d; s,/\*.*\*/,,' $(filter %.h,$^) | grep -ohE '\bscry_[a-z0-9_]+\(' | tr -d '(' | sort -u >$@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(O)/libscry.map: $(O)/libscry.names
	$(Q){ echo 'SCRY_0 { global:'; sed 's/$$/;/' $<; echo '};'; \
	    echo 'SCRY_PRIVATE { global: scry_*; local: scry_build; *; };'; } >$@
# In a wheel the libraries that it needs are beside it (mk/rules-python.mk).
$(LIBSCRY) $(O)/wheel/$(SONAME): $(call obj,$(LIB_SRC)) $(O)/gen/build.o $(O)/libscry.map
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(findstring /wheel/,$@),-s $(call beside,)) -shared -Wl,-soname,$(SONAME),-Bsymbolic,-z,defs,--version-script=$(O)/libscry.map \
	    -o $@ $(filter %.o,$^) $(LIB_LIBS)
$(O)/libscry.so: $(LIBSCRY)
	$(Q)ln -sf $(SONAME) $@
# Where programs of the build tree find it: $(call beside,FOLDER) from FOLDER below $ORIGIN.
beside = -Wl,--enable-new-dtags,-rpath,'$$ORIGIN$(1)'

PROGRAMS := $(O)/libscry.a $(O)/libscry.so

# Each plugin as an archive (unit tests link it) and as the shared object made of it.
define plugin
$$(O)/libscry-$(1).a: $$(call obj,$$(PLUGIN_SRC_$(1))) $$(PLUGIN_OBJ_$(1))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
$$(O)/scry-$(1).so: $$(O)/libscry-$(1).a $$(O)/gen/build.o $$(LIBSCRY)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -shared -Wl,-Bsymbolic,-z,defs -o $$@ -Wl,--whole-archive $$< -Wl,--no-whole-archive \
	    $$(O)/gen/build.o $$(LIBSCRY) $(if $(PLUGIN_PKGS_$(1)),$$(call pkg,libs,$$(PLUGIN_PKGS_$(1)))) $$(LIB_LIBS)
PLUGINS += $$(O)/scry-$(1).so
PLUGIN_ARCHIVES += $$(O)/libscry-$(1).a
PLUGIN_LIBS += $(if $(PLUGIN_PKGS_$(1)),$$(call pkg,libs,$$(PLUGIN_PKGS_$(1))))
endef
$(foreach p,$(PLUGIN_NAMES),$(if $(PLUGIN_SRC_$(p)),$(eval $(call plugin,$(p)))))
PROGRAMS += $(PLUGINS)
ifneq ($(wildcard src/cli/main.c),)
CLI_OBJ := $(call obj,$(CLI_SRC)) $(O)/gen/build.o
$(O)/scry: $(CLI_OBJ) $(LIBSCRY)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -pie $(call beside,) -o $@ $^ -lm
PROGRAMS += $(O)/scry
ifeq ($(O),build/release)
scry: $(O)/scry
	$(Q)ln -sf $< $@
PROGRAMS += scry
endif
endif
ifneq ($(wildcard src/decoder/main.c),)
$(O)/scry-decode $(O)/wheel/scry-decode: $(call obj,$(DECODE_SRC)) $(O)/gen/build.o | $(O)/scry-formats.so
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(if $(findstring /wheel/,$@),-s $(call beside,)) -pie -rdynamic -o $@ $^ $(DECODE_LIBS)
$(O)/scry-formats.so: $(call obj,$(FORMATS_SRC)) $(O)/gen/build.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-Bsymbolic -o $@ $^ $(filter-out -fopenmp -lstdc++,$(call pkg,libs,$(FORMATS_PKGS))) -lm
PLUGINS += $(O)/scry-formats.so
PROGRAMS += $(O)/scry-decode $(O)/scry-formats.so
endif

# One test program for each tests/unit/test_NAME.c; linked statically, so that they see all functions.
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT_BIN := $(patsubst tests/unit/%.c,$(O)/tests/%,$(UNIT_SRC))
$(O)/tests/%: $(O)/tests/unit/%.o $(PLUGIN_ARCHIVES) $(O)/libscry.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka $(PLUGIN_LIBS) $(LIB_LIBS)
.PRECIOUS: $(O)/%.o

-include $(shell find $(O) -name '*.d' 2>/dev/null)
