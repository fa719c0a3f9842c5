# The program under faults, and the longer checks that have targets of their own.

# The commands, with a main that a test can call; calls that may fail go through tests/fault/faults.c.
FAULT_WRAP := malloc calloc realloc strdup strndup realpath mmap open fstat read __read_chk pread __pread_chk write fsync \
              rename linkat close
FAULT_O    := $(filter-out %/main.o,$(CLI_O)) $(BUILD)/tests/fault/choir_main.o $(BUILD)/tests/fault/faults.o
comma      := ,
$(BUILD)/tests/fault/choir_main.o: src/cli/main.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Wno-missing-prototypes -Dmain=choir_main -c -o $@ $<
$(BUILD)/tests/fault/test_fault: $(FAULT_O)
$(BUILD)/tests/fault/test_fault: LDFLAGS += $(FAULT_WRAP:%=-Wl$(comma)--wrap=%)
$(BUILD)/tests/fault/test_fault: LDLIBS := $(BUILD)/libchoir.a -ledit $(LDLIBS)
-include $(FAULT_O:.o=.d)

faults: deps-test ## every fault that the test of the commands only samples (minutes)
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/choir $(BUILD)/tests/fault/test_fault
	@CHOIR_FAULTS=1000000 $(BUILD)/tests/fault/test_fault

.PHONY: faults
