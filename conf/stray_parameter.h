/*
 * Parameters of a connection string that are headers by Spark's grammar, but most likely were meant
 * to be something else: `tokn=...`, `cluster_id=...`.
 */
#ifndef SPARKBRIDGE_CONF_STRAY_PARAMETER_H
#define SPARKBRIDGE_CONF_STRAY_PARAMETER_H

/* What the header of this name was probably meant to be, as it has to be written; NULL where it may
 * well be a header. Static text. */
const char *stray_parameter_meant(const char *name);

#endif
