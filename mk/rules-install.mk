# Installing: make install PREFIX=/usr/local DESTDIR=, make uninstall, make deb.
#
#     bin/scry
#     libexec/scry/    scry-decode and the parts, found from bin/ and lib/ (scry_program_file)
#     share/scry/      models/starter, the tokenizer files and the catalogue of models
#     include/scry/, lib/libscry.{a,so}, lib/pkgconfig/scry.pc     for programs in C
#     share/man/man1, completions for bash and zsh
bindir = $(PREFIX)/bin
libdir = $(PREFIX)/lib
libexecdir = $(PREFIX)/libexec/scry
datadir = $(PREFIX)/share
zshdir = $(datadir)/zsh/site-functions

SONAME := libscry.so.0
# What the public headers declare, and nothing else, is what the library shows.
$(O)/libscry.map: $(wildcard include/scry/*.h)
	@mkdir -p $(@D)
	$(Q){ echo '{ global:'; sed 's,/\*.*\*/,,' $^ | grep -ohE '\bscry_[a-z0-9_]+\(' | sort -u | tr '(' ';'; echo 'local: *; };'; } >$@
$(O)/$(SONAME): $(call obj,$(LIB_SRC)) $(O)/libscry.map
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(O)/libscry.map -o $@ $(call obj,$(LIB_SRC)) $(LIB_LIBS)
$(O)/libscry.so: $(O)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@
# The static library that is installed: one object in which other names than those are local.
$(O)/static/libscry.a: $(call obj,$(LIB_SRC)) $(O)/libscry.map
	@mkdir -p $(@D)
	rm -f $@
	ld -r -o $(@D)/scry.o $(call obj,$(LIB_SRC))
	sed -n 's/;$$//p' $(O)/libscry.map | grep '^scry_' >$(@D)/names
	objcopy --keep-global-symbols=$(@D)/names $(@D)/scry.o
	ar rcs $@ $(@D)/scry.o
PROGRAMS += $(O)/libscry.so

.PHONY: install uninstall deb
I = install -m 644
install: all man $(O)/static/libscry.a ## install below PREFIX (/usr/local), staged in DESTDIR
	install -d $(addprefix $(DESTDIR),$(bindir) $(libexecdir) $(libdir)/pkgconfig $(PREFIX)/include/scry \
	    $(datadir)/scry $(datadir)/man/man1 $(datadir)/bash-completion/completions $(zshdir))
	install $(O)/scry $(DESTDIR)$(bindir)/scry
	install $(O)/scry-decode $(DESTDIR)$(libexecdir)/
	$(I) $(PARTS) $(DESTDIR)$(libexecdir)/
	cp -RT --no-preserve=mode,ownership models $(DESTDIR)$(datadir)/scry/models
	$(I) include/scry/*.h $(DESTDIR)$(PREFIX)/include/scry/
	$(I) $(O)/static/libscry.a $(O)/$(SONAME) $(DESTDIR)$(libdir)/
	ln -sf $(SONAME) $(DESTDIR)$(libdir)/libscry.so
	sed -e 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(libdir),; s,@VERSION@,$(VERSION),; s,@REQUIRES@,$(LIB_PKGS),' \
	    mk/scry.pc.in >$(DESTDIR)$(libdir)/pkgconfig/scry.pc
	$(I) build/man/*.1 $(DESTDIR)$(datadir)/man/man1/
	$(O)/scry completion bash >$(DESTDIR)$(datadir)/bash-completion/completions/scry
	$(O)/scry completion zsh >$(DESTDIR)$(zshdir)/_scry
	$(if $(DESTDIR),,-[ "$$(id -u)" != 0 ] || ldconfig)

uninstall: ## remove what install installed
	rm -f $(DESTDIR)$(bindir)/scry $(DESTDIR)$(libdir)/libscry.a $(DESTDIR)$(libdir)/libscry.so* \
	    $(DESTDIR)$(libdir)/pkgconfig/scry.pc $(DESTDIR)$(datadir)/man/man1/scry.1 $(DESTDIR)$(datadir)/man/man1/scry-*.1 \
	    $(DESTDIR)$(datadir)/bash-completion/completions/scry $(DESTDIR)$(zshdir)/_scry
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(datadir)/scry $(DESTDIR)$(PREFIX)/include/scry

deb: deps-deb ## a Debian package in dist/
	@$(again) all
	tools/deb.sh $(VERSION)
.PHONY: deps-deb
deps-deb:
	@DEPS=$(DEPS) tools/deps.sh build deb
