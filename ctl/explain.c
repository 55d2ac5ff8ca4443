/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include <arpa/inet.h>
#include <string.h>

#include "complain.h"

int explain_family(const char *word)
{
	struct in6_addr bytes;

	if (inet_pton(AF_INET, word, &bytes) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, word, &bytes) == 1 ? AF_INET6 : AF_UNSPEC;
}

bool explain_is_mapped(const char *command, const char *word)
{
	char text[INET_ADDRSTRLEN];
	struct in6_addr bytes;

	if (inet_pton(AF_INET6, word, &bytes) != 1 ||
	    !IN6_IS_ADDR_V4MAPPED(&bytes))
		return false;
	(void)inet_ntop(AF_INET, &bytes.s6_addr[12], text, sizeof(text));
	complain("%s: '%s' is IPv4: give %s", command, word, text);
	return true;
}

static bool check_address(const char *word)
{
	if (explain_is_mapped("explain", word))
		return false;
	if (explain_family(word) != AF_UNSPEC)
		return true;
	if (strchr(word, '/'))
		complain("explain: '%s' is a prefix: give an address of it",
			 word);
	else if (strchr(word, '%'))
		complain("explain: '%s': name the link with --dev", word);
	else
		complain("explain: '%s' is no address (host names are not "
			 "looked up)",
			 word);
	return false;
}

bool explain_check(const struct options *options)
{
	int i;

	for (i = 0; i < options->argument_count; i++)
		if (!check_address(options->arguments[i]))
			return false;
	if (options->argument_count == 2 &&
	    explain_family(options->arguments[0]) !=
		    explain_family(options->arguments[1])) {
		complain("explain: one address is IPv4, the other IPv6");
		return false;
	}
	if (options->dev && options->without) {
		complain("explain: --dev and --without do not go together");
		return false;
	}
	return true;
}

static void add_text(struct json_object *parameters, const char *name,
		     const char *value)
{
	if (value)
		json_object_object_add(parameters, name,
				       json_object_new_string(value));
}

struct json_object *explain_parameters(const struct options *options)
{
	struct json_object *parameters = json_object_new_object();
	int last = options->argument_count - 1;

	if (last > 0)
		add_text(parameters, "source", options->arguments[0]);
	add_text(parameters, "destination", options->arguments[last]);
	add_text(parameters, "dev", options->dev);
	add_text(parameters, "without", options->without);
	if (options->given & OPTION_TOS)
		json_object_object_add(parameters, "tos",
				       json_object_new_int(options->tos));
	if (options->given & OPTION_MPTCP)
		json_object_object_add(parameters, "mptcp",
				       json_object_new_boolean(true));
	return parameters;
}
