# SPDX-License-Identifier: MIT
"""What the latency tests measured, beside what there is otherwise: ./run.sh bench and its kin."""
