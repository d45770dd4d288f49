# Installing: make install PREFIX=/usr/local DESTDIR=, make uninstall, make deb.
#
#     bin/scry
#     libexec/scry/    scry-decode and the plugins, found from lib/ (scry_program_file)
#     share/scry/      models/starter, models/words, the tokenizer files and the catalogue of models
#     include/scry/, lib/libscry.{a,so}, lib/pkgconfig/scry.pc     for programs in C
#     share/man/man1, completions for bash, zsh and fish
#     lib/systemd/user/   units that run scry watch, or index once an hour
bindir = $(PREFIX)/bin
libdir = $(PREFIX)/lib
libexecdir = $(PREFIX)/libexec/scry
datadir = $(PREFIX)/share
zshdir = $(datadir)/zsh/site-functions
unitdir = $(PREFIX)/lib/systemd/user
fishdir = $(datadir)/fish/vendor_completions.d

# The static library that is installed: one object in which other names than the public ones are local.
$(O)/static/libscry.a: $(call obj,$(LIB_SRC)) $(O)/gen/build.o $(O)/libscry.names
	@mkdir -p $(@D)
	rm -f $@
	ld -r -o $(@D)/scry.o $(filter %.o,$^)
	objcopy --keep-global-symbols=$(O)/libscry.names $(@D)/scry.o
	ar rcs $@ $(@D)/scry.o
# The program that is installed finds libscry.so relative to its own folder, unless libdir is one of the
# system's library folders. Linked for each installation: PREFIX may be another than the last time.
.PHONY: $(O)/installed/scry
$(O)/installed/scry: $(CLI_OBJ) $(LIBSCRY)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -pie $(if $(filter /lib /lib/% /usr/lib /usr/lib/%,$(libdir)),,$(call \
	    beside,/$(shell realpath -sm --relative-to=$(bindir) $(libdir)))) -o $@ $^ -lm

.PHONY: install uninstall deb
I = install -m 644
install: all man $(O)/static/libscry.a $(O)/installed/scry ## install below PREFIX (/usr/local), staged in DESTDIR
	install -d $(addprefix $(DESTDIR),$(bindir) $(libexecdir) $(libdir)/pkgconfig $(PREFIX)/include/scry \
	    $(datadir)/scry $(datadir)/man/man1 $(datadir)/bash-completion/completions $(zshdir) $(fishdir) $(unitdir))
	install $(O)/installed/scry $(DESTDIR)$(bindir)/scry
	install $(O)/scry-decode $(DESTDIR)$(libexecdir)/
	$(I) $(PLUGINS) $(DESTDIR)$(libexecdir)/
	cp -RT --no-preserve=mode,ownership models $(DESTDIR)$(datadir)/scry/models
	$(I) include/scry/*.h $(DESTDIR)$(PREFIX)/include/scry/
	$(I) $(O)/static/libscry.a $(LIBSCRY) $(DESTDIR)$(libdir)/
	ln -sf $(SONAME) $(DESTDIR)$(libdir)/libscry.so
	sed -e 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(libdir),; s,@VERSION@,$(VERSION),; s,@REQUIRES@,$(LIB_PKGS),' \
	    mk/scry.pc.in >$(DESTDIR)$(libdir)/pkgconfig/scry.pc
	for unit in mk/systemd/*; do sed -e 's,@PREFIX@,$(PREFIX),' $$unit >$(DESTDIR)$(unitdir)/$${unit##*/}; done
	$(I) build/man/*.1 $(DESTDIR)$(datadir)/man/man1/
	$(O)/scry completion bash >$(DESTDIR)$(datadir)/bash-completion/completions/scry
	$(O)/scry completion zsh >$(DESTDIR)$(zshdir)/_scry
	$(O)/scry completion fish >$(DESTDIR)$(fishdir)/scry.fish
	$(if $(DESTDIR),,-[ "$$(id -u)" != 0 ] || ldconfig)

uninstall: ## remove what install installed
	rm -f $(DESTDIR)$(bindir)/scry $(DESTDIR)$(libdir)/libscry.a $(DESTDIR)$(libdir)/libscry.so* \
	    $(DESTDIR)$(libdir)/pkgconfig/scry.pc $(DESTDIR)$(datadir)/man/man1/scry.1 $(DESTDIR)$(datadir)/man/man1/scry-*.1 \
	    $(DESTDIR)$(datadir)/bash-completion/completions/scry $(DESTDIR)$(zshdir)/_scry $(DESTDIR)$(fishdir)/scry.fish \
	    $(DESTDIR)$(unitdir)/scry-watch.service $(DESTDIR)$(unitdir)/scry-index.service $(DESTDIR)$(unitdir)/scry-index.timer
	rm -rf $(DESTDIR)$(libexecdir) $(DESTDIR)$(datadir)/scry $(DESTDIR)$(PREFIX)/include/scry

deb: deps-deb ## a Debian package in dist/
	@$(again) all
	tools/deb.sh $(VERSION)
.PHONY: deps-deb
deps-deb:
	@DEPS=$(DEPS) tools/deps.sh build deb
