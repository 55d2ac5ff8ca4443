/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/utf8.h"

#include <stdint.h>

/*
 * How many bytes a UTF-8 sequence has that starts with @lead, and the smallest
 * code point it may stand for: a longer form than needed is not UTF-8.
 */
static const struct {
	unsigned char mask;
	unsigned char lead;
	size_t len;
	uint32_t min;
} utf8_forms[] = {
	{0x80, 0x00, 1, 0x0},
	{0xe0, 0xc0, 2, 0x80},
	{0xf0, 0xe0, 3, 0x800},
	{0xf8, 0xf0, 4, 0x10000},
};

#define UTF8_FORMS (sizeof(utf8_forms) / sizeof(utf8_forms[0]))

/* Length of the valid sequence at @s, which ends with a NUL; 0: none. */
static size_t utf8_len(const unsigned char *s)
{
	uint32_t code;
	size_t form;
	size_t i;

	for (form = 0; form < UTF8_FORMS; form++)
		if ((s[0] & utf8_forms[form].mask) == utf8_forms[form].lead)
			break;
	if (form == UTF8_FORMS)
		return 0;

	code = s[0] & (unsigned char)~utf8_forms[form].mask;
	for (i = 1; i < utf8_forms[form].len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < utf8_forms[form].min || code > 0x10ffff)
		return 0;
	if (code >= 0xd800 && code <= 0xdfff)
		return 0;
	return utf8_forms[form].len;
}

void utf8_mend(char *text)
{
	size_t len;

	while (*text != '\0') {
		/* Nearly all of it is ASCII. */
		if ((unsigned char)*text < 0x80) {
			text++;
			continue;
		}
		len = utf8_len((const unsigned char *)text);
		if (len == 0)
			*text = '?';
		text += len > 0 ? len : 1;
	}
}

bool utf8_is_valid(const char *text, size_t len)
{
	size_t at = 0;
	size_t n;

	while (at < len) {
		n = utf8_len((const unsigned char *)text + at);
		if (n == 0 || n > len - at)
			return false;
		at += n;
	}
	return true;
}
