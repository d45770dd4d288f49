# Man pages, one a command, made of the program's own tables.
.PHONY: man man3
man: $(O)/scry ## man pages in build/man
	@mkdir -p build/man
	$(O)/scry help --man >build/man/scry.1
	for c in $$($(O)/scry help --commands); do $(O)/scry help --man $$c >build/man/scry-$$c.1 || exit 1; done
man3: ## man pages of the C interface, likewise
	@tools/man3.sh $(VERSION) build/man
