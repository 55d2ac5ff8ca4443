/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * multihomed - source routing that keeps longest-prefix match.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "control/standard_fds.h"
#include "daemon.h"
#include "kernel/claim.h"
#include "log.h"

#define EXIT_USAGE 2

enum mode {
	MODE_RUN,
	MODE_CHECK,
	MODE_PLAN,
	MODE_FLUSH,
};

struct options {
	enum mode mode;
	const char *config_path; /* NULL: the default one */
	const char *socket;	 /* NULL: the config's */
};

static const char help_text[] =
	"usage: multihomed [-c FILE] [-s SOCKET] [--check | --plan | --flush]\n"
	"\n"
	"Makes every packet of this host leave through a next hop that fits\n"
	"its source address. Runs in the foreground until SIGTERM.\n"
	"\n"
	"  -c, --config FILE    read FILE, not " CONFIG_PATH_DEFAULT "\n"
	"  -s, --socket SOCKET  control socket (" CONFIG_SOCKET_DEFAULT ")\n"
	"      --check          check the config and say what is wrong with "
	"it\n"
	"      --plan           print what would be changed, as lines for\n"
	"                       `ip -batch` behind -4 or -6, and change "
	"nothing\n"
	"      --flush          remove all rules, routes and neighbours of "
	"ours\n"
	"      --version        print the version\n"
	"      --help           print this\n"
	"\n"
	"Signals: HUP reads the config again, TERM removes what is ours and\n"
	"ends, USR1 ends and leaves everything in place.\n"
	"Exit status: 0 all is well, 1 it is not, 2 wrong usage.\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"socket", required_argument, NULL, 's'},
	{"check", no_argument, NULL, 'C'},
	{"plan", no_argument, NULL, 'P'},
	{"flush", no_argument, NULL, 'F'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int usage(const char *why)
{
	if (why)
		(void)fprintf(stderr, "multihomed: %s\n", why);
	(void)fprintf(stderr, "Try `multihomed --help`.\n");
	return EXIT_USAGE;
}

static bool set_mode(struct options *options, enum mode mode)
{
	if (options->mode != MODE_RUN && options->mode != mode)
		return false;
	options->mode = mode;
	return true;
}

/* Return: -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	bool modes_agree = true;
	int option;

	while ((option = getopt_long(argc, argv, "c:s:", long_options, NULL)) !=
	       -1) {
		switch (option) {
		case 'c':
			ret->config_path = optarg;
			break;
		case 's':
			ret->socket = optarg;
			break;
		case 'C':
			modes_agree = modes_agree && set_mode(ret, MODE_CHECK);
			break;
		case 'P':
			modes_agree = modes_agree && set_mode(ret, MODE_PLAN);
			break;
		case 'F':
			modes_agree = modes_agree && set_mode(ret, MODE_FLUSH);
			break;
		case 'V':
			(void)printf("multihomed %s\n", MULTIHOMED_VERSION);
			return 0;
		case 'h':
			(void)printf("%s", help_text);
			return 0;
		default:
			return usage(NULL);
		}
	}
	if (optind < argc)
		return usage("there are no arguments besides options");
	if (!modes_agree)
		return usage("--check, --plan and --flush exclude each other");
	return -1;
}

static void print_errors(const struct config_error_vec *errors)
{
	const struct config_error *it;

	vec_foreach(errors, it) {
		if (it->line)
			(void)fprintf(stderr, "%s:%u: %s\n", it->file, it->line,
				      it->message);
		else
			(void)fprintf(stderr, "%s: %s\n", it->file,
				      it->message);
	}
}

/* To remove what is ours must not wait till somebody has mended the file. */
static int load_file(const struct options *options, struct config *ret)
{
	struct config_error_vec errors = {0};
	int error = 0;

	if (options->mode == MODE_FLUSH)
		config_salvage(options->config_path, ret, &errors);
	else
		error = config_load(options->config_path, ret, &errors);
	print_errors(&errors);
	if (errors.n && !error)
		(void)fprintf(stderr,
			      "multihomed: removing what has protocol %u all "
			      "the same\n",
			      ret->policy.protocol);
	vec_done(&errors);
	return error;
}

static int load(const struct options *options, struct config *ret)
{
	int error = load_file(options, ret);

	if (error)
		return error;
	if (!options->socket)
		return 0;
	if (strlen(options->socket) >= sizeof(ret->socket)) {
		(void)fprintf(stderr, "%s: too long for a socket's path\n",
			      options->socket);
		config_done(ret);
		return -ENAMETOOLONG;
	}
	(void)snprintf(ret->socket, sizeof(ret->socket), "%s", options->socket);
	return 0;
}

/* What a start would learn from the files that the last daemon left. */
static void load_state(struct engine *engine, const char *socket,
		       struct flows *flows)
{
	struct adverts adverts = {0};
	char path[160];

	(void)snprintf(adverts.path, sizeof(adverts.path), "%s.bindings",
		       socket);
	adverts_load(&adverts, engine, daemon_now());
	(void)snprintf(path, sizeof(path), "%s.flows", socket);
	flows_init(flows, path);
	flows_start(flows, engine, daemon_now());
}

static int print_plan(struct engine *engine, const char *socket)
{
	struct op_vec ops = {0};
	struct planned planned = {0};
	struct flows flows;
	const struct op *op;
	size_t end[DIFF_PHASES];
	char text[OP_TEXT_MAX];
	int error = engine_read(engine, daemon_now());

	if (error)
		return error;
	load_state(engine, socket, &flows);
	engine_plan(engine, daemon_now(), &ops, &planned);
	diff_order(&ops, end);
	vec_foreach(&ops, op) {
		op_format(op, &engine->model.rib.attrs, &engine->model.links,
			  text);
		/* ip(8) has no words for some attributes: then a comment. */
		(void)printf("%.3s%s%s\n", text,
			     strstr(text, " attr ") ? "# (not all of it) " : "",
			     text + 3);
	}
	planned_done(&planned);
	vec_done(&ops);
	flows_done(&flows);
	return 0;
}

/* Return: whether a daemon runs on this socket. */
static bool is_running(const char *socket)
{
	char path[160];
	bool locked;
	int fd;

	(void)snprintf(path, sizeof(path), "%s.lock", socket);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return locked;
}

/* Not while a daemon runs that would undo it. */
static bool may_flush(const char *socket)
{
	pid_t holder = 0;

	if (is_running(socket)) {
		(void)fprintf(stderr,
			      "multihomed: a daemon is running (%s); stop it, "
			      "it removes what is ours\n",
			      socket);
		return false;
	}
	/* If we got it, nobody begins before we are through. */
	if (claim_take(&holder) == -EBUSY) {
		(void)fprintf(stderr,
			      "multihomed: a daemon is running (pid %ld); stop "
			      "it, it removes what is ours\n",
			      (long)holder);
		return false;
	}
	return true;
}

/* Endpoints are known to be ours by the file of whoever added them. */
static int flush_endpoints(const char *socket)
{
	struct endpoints endpoints;
	char path[160];
	int error;

	(void)snprintf(path, sizeof(path), "%s.endpoints", socket);
	error = endpoints_init(&endpoints, path, daemon_now());
	if (!error)
		error = endpoints_flush(&endpoints, daemon_now());
	endpoints_done(&endpoints);
	return error == -ENOENT ? 0 : error; /* without MPTCP there are none */
}

/* Nobody else knows what settings were before; and what is left is of none. */
static int flush_settings(struct engine *engine, const char *socket,
			  bool knows_links)
{
	struct policy policy = *engine->policy;
	struct view view = engine_view(engine);
	struct linkdown linkdown;
	struct setting manager;
	char path[160];
	int error;

	(void)snprintf(path, sizeof(path), "%s.path_manager", socket);
	setting_init(&manager, path);
	error = setting_put_back(&manager);
	policy.ignore_linkdown = false;
	view.policy = &policy;
	(void)snprintf(path, sizeof(path), "%s.linkdown", socket);
	linkdown_init(&linkdown, path);
	if (knows_links)
		linkdown_update(&linkdown, &view, daemon_now());
	linkdown_done(&linkdown);
	(void)snprintf(path, sizeof(path), "%s.bindings", socket);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s.flows", socket);
	(void)unlink(path);
	return error;
}

/* One thing that fails keeps nothing else. Return: the first error. */
static int flush(struct engine *engine, const char *socket)
{
	int error = engine_read(engine, daemon_now());
	bool knows_links = !error;
	int errors[3] = {0};

	errors[0] = flush_endpoints(socket);
	if (knows_links)
		errors[1] = engine_flush(engine, daemon_now());
	errors[2] = flush_settings(engine, socket, knows_links);
	for (size_t i = 0; i < 3 && !error; i++)
		error = errors[i];
	return error;
}

/* Modes that look at the kernel once. */
static int run_once(const struct options *options, const struct config *config)
{
	const struct kernel_config kernel_config = {
		.table_first = config->policy.table_first,
		.table_last = config->policy.table_last,
		.protocol = config->policy.protocol,
	};
	struct engine engine;
	struct kernel *kernel;
	int error;

	log_set_level(LOG_WARNING);
	if (options->mode == MODE_FLUSH && !may_flush(config->socket))
		return 1;
	error = kernel_open(&kernel_config, &kernel);
	if (error) {
		log_err("opening rtnetlink sockets: %s", strerror(-error));
		return 1;
	}
	engine_init(&engine, kernel, &config->policy);
	error = options->mode == MODE_PLAN ? print_plan(&engine, config->socket)
					   : flush(&engine, config->socket);
	if (error)
		log_err("%s", strerror(-error));
	engine_done(&engine);
	kernel_free(kernel);
	return error != 0;
}

/* A plan that was cut off is none. Return: the exit status. */
static int end_output(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* Of an earlier write nobody knows why it failed. */
	(void)fprintf(stderr, "multihomed: cannot write: %s\n",
		      strerror(errno ? errno : EIO));
	return 1;
}

int main(int argc, char **argv)
{
	struct options options = {.mode = MODE_RUN};
	struct config config;
	int status;

	if (standard_fds_open() < 0)
		return 1;
	status = parse_options(argc, argv, &options);
	if (status >= 0)
		return end_output(status);
	if (load(&options, &config) < 0)
		return 1;
	switch (options.mode) {
	case MODE_RUN:
		return daemon_run(options.config_path, options.socket, &config);
	case MODE_CHECK:
		(void)printf("the configuration is correct\n");
		break;
	case MODE_PLAN:
	case MODE_FLUSH:
		status = run_once(&options, &config);
		break;
	}
	config_done(&config);
	return end_output(status < 0 ? 0 : status);
}
