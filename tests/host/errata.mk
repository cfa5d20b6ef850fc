# SPDX-License-Identifier: MIT
# Unit tests of the pure parts of tests/errata/.

test_levels_SRC := tests/errata/levels.c kernel/lib/glob.c kernel/lib/fmt.c
test_tear_SRC   := tests/errata/tear_image.c tests/errata/tear_bound.c tests/errata/promise.c \
    tests/errata/tear_pads.c
