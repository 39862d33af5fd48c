/*
 * What a reload changed, for the log: one line a difference, with the value before and after.
 * Secrets appear as fingerprints or not at all.
 */
#ifndef SPARKBRIDGE_DAEMON_RELOAD_REPORT_H
#define SPARKBRIDGE_DAEMON_RELOAD_REPORT_H

#include "daemon/setup.h"

/* Logs how `after` differs from `before`, what of it needs a restart, or that nothing does. */
void reload_report(const struct setup *before, const struct setup *after);

#endif
