# SPDX-License-Identifier: MIT
# The model machine: a host program that runs the engine on simulated cores (docs/model.md).

MODEL_OUT   := $(O)/model
MODEL_FLAGS := $(HOST_CFLAGS:-O1=-O2) -fno-pic -fno-pie -no-pie -fno-common
# The engine sees the model's atomic.h, and the model sees its table being used.
MODEL_ENGINE_FLAGS := -iquote tests/model/include $(MODEL_FLAGS)
MODEL_HOOKS_publish := -Dpoke_table_publish=model_table_publish \
    -Dpoke_table_retire=model_table_retire
MODEL_HOOKS_lookup  := -Dpoke_table_at_or_below=model_table_at_or_below
MODEL_HEADERS := $(wildcard poke/*.h kernel/lib/*.h tests/model/*.h tests/twins/*.h) \
    $(shell find tests/model/include -name '*.h') tests/selftest/faulty_protocols.h

# The real engine, and those with one file replaced (tests/twins/twins.mk).
MODEL_TWINS   := retire_without_wait leaked_reference stack_descriptor wrong_return call_as_nop \
    changed_flags consumed_int3 unsorted_batch unchecked_single ignored_emulate \
    online_refs unnestable early_close
MODEL_ENGINES := real $(MODEL_TWINS)

MODEL_POKE := $(basename $(notdir $(wildcard poke/*.c)))
model_hooks = $(if $(filter batch protocol,$(1)),$(MODEL_HOOKS_publish)) \
    $(if $(filter int3_handler,$(1)),$(MODEL_HOOKS_lookup))

# $(1): object, $(2): source, $(3): the file of poke/ that it is or replaces
define model_engine_object
$(MODEL_OUT)/$(1).o: $(2) $$(MODEL_HEADERS) $$(wildcard poke/*.c)
	@mkdir -p $$(@D)
	$$(Q)$$(HOSTCC) $$(MODEL_ENGINE_FLAGS) $(call model_hooks,$(3)) -c $$< -o $$@
endef
$(foreach f,$(MODEL_POKE),$(eval $(call model_engine_object,poke/$(f),poke/$(f).c,$(f))))

# $(1): engine, $(2): replaced file or nothing
define model_engine
$(if $(2),$(call model_engine_object,twins/$(1),tests/twins/$(1).c,$(2)))

$(MODEL_OUT)/engine_$(1).o: tests/model/engine.c \
    $(patsubst %,$(MODEL_OUT)/poke/%.o,$(filter-out $(2),$(MODEL_POKE))) \
    $(if $(2),$(MODEL_OUT)/twins/$(1).o)
	$$(Q)$$(HOSTCC) $$(MODEL_FLAGS) -DMODEL_ENGINE=$(1) -c $$< -o $$@.table
	$$(Q)ld -r $$@.table $$(filter %.o,$$^) -o $$@.all
	$$(Q)objcopy --keep-global-symbol=engine_$(1) --rename-section .data=model_data_$(1) \
	    --rename-section .bss=model_bss_$(1) $$@.all $$@
endef
$(foreach e,$(MODEL_ENGINES),$(eval \
    $(call model_engine,$(e),$(basename $(notdir $(call twin_replaces,$(e)))))))

MODEL_SRC  := $(filter-out tests/model/engine.c tests/model/test_%,$(wildcard tests/model/*.c)) \
    poke/error.c tests/selftest/faulty_protocols.c
MODEL_LINK := $(MODEL_ENGINES:%=$(MODEL_OUT)/engine_%.o)

$(MODEL_OUT)/crossmod-model: $(MODEL_SRC) $(MODEL_LINK) $(MODEL_HEADERS)
	$(Q)$(HOSTCC) $(MODEL_FLAGS) $(MODEL_SRC) $(MODEL_LINK) -o $@

$(MODEL_OUT)/test_text: tests/model/test_text.c tests/model/text.c tests/model/image.c \
    tests/model/pack.c $(MODEL_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -fsanitize=address,undefined -fno-sanitize-recover \
	    $(filter %.c,$^) -lcmocka -o $@

.PHONY: model modeltest
model: $(MODEL_OUT)/crossmod-model ## the engine on the adversarial machine
	@$<
modeltest: $(MODEL_OUT)/test_text ## unit tests of the model's views
	@$<
