# SPDX-License-Identifier: GPL-2.0-only
# What every driver's Kbuild includes after it has set "driver" and its include
# paths. $(from) is the tree that the driver's source comes from.
ccflags-y += -I$(from) -I$(src)/.. -Wno-missing-prototypes -Wno-missing-declarations
obj-m := lab_$(driver).o
lab_$(driver)-y := $(driver).o stubs.o
GCOV_PROFILE_$(driver).o := y
