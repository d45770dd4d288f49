.PHONY: bench-tower
bench-tower: $(O)/bench/tower ## speed of the towers: MODEL=models/starter PRECISION=auto THREADS=0
	$< $(or $(MODEL),models/starter) $(or $(PRECISION),auto) $(or $(THREADS),0)
