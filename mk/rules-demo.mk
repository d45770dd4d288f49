# The README's first command: from a fresh system to three searches.
.PHONY: demo
demo: deps ## install what is missing, build, index the gallery, search it
	@$(again) all
	@tools/demo.sh $(abspath $(O))
