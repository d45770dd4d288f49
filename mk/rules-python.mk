# The Python package: python/, docs/python.md.
.PHONY: wheel wheel-programs
wheel: deps ## a Python wheel for this system in dist/, with library, decoder, plugins and models
	@$(again) all wheel-programs
	@SCRY_BUILD=$(abspath $(O)) SCRY_WHEEL=$(abspath $(O)/wheel) python3 python/build_wheel.py dist
# Library and decoder look for the libraries that they need beside themselves, where the wheel has them.
wheel-programs: $(O)/wheel/$(SONAME) $(O)/wheel/scry-decode $(foreach p,fetch formats milvus serve thumbs,$(O)/wheel/scry-$(p).so)
# Without what only debuggers read.
$(O)/wheel/scry-%.so: $(O)/scry-%.so
	@mkdir -p $(@D)
	$(Q)$(CROSS_COMPILE)strip --strip-unneeded -o $@ $<
