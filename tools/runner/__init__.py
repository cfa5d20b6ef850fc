# SPDX-License-Identifier: MIT
"""run.sh's second half: boot the image in QEMU, follow it, judge what it reported.

Data flows one way: build -> machine -> follow -> records -> verdict -> report. Standard library
only.
"""
