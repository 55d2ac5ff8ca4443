/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fate - the words of the control interface for what becomes of packets.
 */
#ifndef FATE_H
#define FATE_H

#include "core/cell.h"

/* The values of Kind in docs/io.multihomed.varlink. */
extern const char *const fate_names[CELL_FATES];

#endif
