.PHONY: test unit
unit: $(UNIT_BIN) $(PROGRAMS) ## unit tests alone
	CMOCKA_MESSAGE_OUTPUT=TAP SCRY_TOP=$(CURDIR) prove $(UNIT_BIN)

E2E := $(wildcard tests/e2e/*.sh)
test: $(UNIT_BIN) $(PROGRAMS) ## unit, golden and end-to-end tests
	CMOCKA_MESSAGE_OUTPUT=TAP SCRY_TOP=$(CURDIR) SCRY_BUILD=$(abspath $(O)) prove $(UNIT_BIN) $(E2E)
