/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/fate.h"

const char *const fate_names[CELL_FATES] = {
	[CELL_FATE_NONE] = "none",     [CELL_FATE_CONGRUENT] = "congruent",
	[CELL_FATE_WEAK] = "weak",     [CELL_FATE_STRONG_DROP] = "strong_drop",
	[CELL_FATE_REJECT] = "reject",
};
