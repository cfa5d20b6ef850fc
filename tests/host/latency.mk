# SPDX-License-Identifier: MIT
# Unit tests of the pure parts of tests/latency/.

test_series_SRC := tests/latency/series.c tests/latency/spread.c kernel/lib/hist.c \
    kernel/lib/json.c kernel/lib/fmt.c
