/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scene_text.h"

#include <errno.h>
#include <stdio.h>

int words_split(struct words *words, const struct model *model,
		const char *line)
{
	char *rest;
	char *word;

	words->model = model;
	words->n = 0;
	words->at = 0;
	if (snprintf(words->text, sizeof(words->text), "%.*s",
		     (int)strcspn(line, "#\n"),
		     line) >= (int)sizeof(words->text))
		return -EINVAL;

	for (word = strtok_r(words->text, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (words->n == SCENE_WORDS_MAX)
			return -EINVAL;
		words->items[words->n++] = word;
	}
	return 0;
}

bool words_left(const struct words *words)
{
	return words->at < words->n;
}

const char *words_next(struct words *words)
{
	return words_left(words) ? words->items[words->at++] : "";
}

bool words_take(struct words *words, const char *word)
{
	if (!words_left(words) || strcmp(words->items[words->at], word) != 0)
		return false;
	words->at++;
	return true;
}

int words_number(struct words *words, uint32_t *ret)
{
	const char *word = words_next(words);
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(word, &end, 0);
	if (errno || end == word || *end != '\0' || value > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

int words_addr(struct words *words, struct ip_addr *ret)
{
	return ip_addr_parse(words_next(words), ret);
}

int words_prefix(struct words *words, struct ip_prefix *ret)
{
	return ip_prefix_parse(words_next(words), ret);
}

int words_dev(struct words *words, uint32_t *ret)
{
	const struct link *link =
		model_link_by_name(words->model, words_next(words));

	if (!link)
		return -EINVAL;
	*ret = link->ifindex;
	return 0;
}

int words_addr_len(struct words *words, struct ip_addr *ret, uint8_t *ret_len)
{
	char text[IP_TEXT_MAX];
	char *slash;
	struct ip_addr addr;
	unsigned long len;

	(void)snprintf(text, sizeof(text), "%s", words_next(words));
	slash = strchr(text, '/');
	if (!slash)
		return -EINVAL;
	*slash = '\0';
	len = strtoul(slash + 1, NULL, 10);
	if (ip_addr_parse(text, &addr) || len > ip_bits(addr.family))
		return -EINVAL;
	*ret = addr;
	*ret_len = (uint8_t)len;
	return 0;
}

int words_read(struct words *words, const struct keyword *table, void *into)
{
	const struct keyword *keyword;
	int err;

	while (words_left(words)) {
		const char *word = words_next(words);

		for (keyword = table; keyword->name; keyword++)
			if (strcmp(keyword->name, word) == 0)
				break;
		if (!keyword->name)
			return -EINVAL;
		err = keyword->read(words, into);
		if (err)
			return err;
	}
	return 0;
}
