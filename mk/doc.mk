# Man pages and completions, made by tools/manual from the table of options and from doc/man.

MANUAL_O  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/manual/*.c)) $(BUILD)/src/cli/options/table.o
MAN_SRC   := $(wildcard doc/man/*)
COMPLETE  := $(BUILD)/doc/choir.bash $(BUILD)/doc/_choir $(BUILD)/doc/choir.fish
DOCS      := $(BUILD)/doc/man.made $(COMPLETE)

# The maker runs here, so a build for another machine takes the native one's.
ifeq ($(CROSS),)
MANUAL    := $(BUILD)/tools/manual/manual
else
MANUAL    := build/release/tools/manual/manual
$(MANUAL): $(wildcard tools/manual/*) src/cli/options/table.c
	env -u CFLAGS -u CXXFLAGS -u LDFLAGS $(MAKE) --no-print-directory BUILD=build/release CROSS= $@
endif

$(BUILD)/tools/manual/manual: $(MANUAL_O) $(BUILD)/libchoir.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/doc/man.made: $(MANUAL) $(MAN_SRC)
	@rm -rf $(BUILD)/doc/man
	@mkdir -p $(BUILD)/doc/man
	$(MANUAL) man $(BUILD)/doc/man doc/man
	@touch $@
$(BUILD)/doc/choir.bash: $(MANUAL)
	@mkdir -p $(@D)
	$(MANUAL) bash >$@
$(BUILD)/doc/_choir: $(MANUAL)
	@mkdir -p $(@D)
	$(MANUAL) zsh >$@
$(BUILD)/doc/choir.fish: $(MANUAL)
	@mkdir -p $(@D)
	$(MANUAL) fish >$@

doc: $(DOCS) ## man pages and completions, into build/release/doc

-include $(MANUAL_O:.o=.d)
.PHONY: doc
.DELETE_ON_ERROR:
