# SPDX-License-Identifier: GPL-2.0-only
# What every user's Kbuild includes after it has set "user" and its include
# paths. $(from) is the tree that the driver's source comes from.
ccflags-y += -I$(from) -I$(src)/.. -Wno-missing-prototypes -Wno-missing-declarations
obj-m := lab_$(user).o
lab_$(user)-y := $(user).o stubs.o
GCOV_PROFILE_$(user).o := y
