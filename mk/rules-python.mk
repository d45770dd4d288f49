# The Python package: python/, docs/python.md.
.PHONY: wheel
wheel: deps ## a Python wheel for this system in dist/, with library, decoder, plugins and models
	@$(again) all
	@SCRY_BUILD=$(abspath $(O)) python3 python/build_wheel.py dist
