/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * utf8 - whether bytes are UTF-8 text (RFC 3629), and making them so.
 *
 * No overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/** utf8_is_valid() - @text: @len bytes, behind them one that is 0 or ASCII */
bool utf8_is_valid(const char *text, size_t len);

/** utf8_mend() - a '?' in place of every byte of @text that is no UTF-8 */
void utf8_mend(char *text);

#endif
