/*
 * What the daemon is to serve: the configuration, and what each of its listeners was resolved to.
 *
 * Owner: the caller of setup_load(), who calls setup_finish(). It does not change; a reload makes
 * another. Reads files and the environment, no network.
 */
#ifndef SPARKBRIDGE_DAEMON_SETUP_H
#define SPARKBRIDGE_DAEMON_SETUP_H

#include <stdbool.h>

#include "conf/config.h"
#include "conf/diag.h"
#include "daemon/access.h"
#include "daemon/tls.h"

/* Where a setup comes from: the command line (argv[0] is the subcommand) and the environment. */
struct setup_source {
    int argc;
    char **argv;
    char *const *environment;
};

struct setup {
    struct config *config;    /* owned */
    struct access **accesses; /* owned references, one for each of the configuration's listeners */
    struct tls_context *tls;  /* owned reference: whom of the workspaces to trust */
};

/* All faults and warnings go to `diags`, those of every listener; false where there is a fault, and
 * then `ret_setup` is empty. */
bool setup_load(const struct setup_source *source, struct setup *ret_setup,
                struct diag_list *diags);
void setup_finish(struct setup *setup);

/* Writes each to the log. */
void setup_log_diags(const struct diag_list *diags);
/* Says in the log what a listener was resolved to. */
void setup_log_access(const struct listener_config *listener, const struct access *access);

#endif
