/*
 * The method of authentication: which one Databricks' SDK would choose for a set of attributes.
 *
 * Source: the default chain and `_validate` of databricks-sdk for Python 0.156.0. The chain is
 * asked in its order and the first method whose attributes are there is chosen; nothing is run and
 * nothing is fetched, so a method that the SDK would try and give up is the answer here. Without
 * auth_type, methods that need a program of the user's are only chosen where the attributes point
 * at them. Methods that exist only inside of Databricks (runtime, model serving) are never chosen.
 */
#ifndef SPARKBRIDGE_CONF_AUTH_METHOD_H
#define SPARKBRIDGE_CONF_AUTH_METHOD_H

#include <stdbool.h>

#include "common/strbuf.h"
#include "conf/layer.h"

enum auth_outcome {
    AUTH_NONE,     /* no method has its attributes */
    AUTH_CHOSEN,   /* `method` and `source` are set */
    AUTH_CONFLICT, /* attributes of several families and no auth_type: `families` is set */
    AUTH_NO_GROUP, /* auth_type asks for a method that cannot act as a group: `method` is set */
};

struct auth_choice {
    enum auth_outcome outcome;
    const char *method; /* static, the SDK's name: "pat", "oauth-m2m" ... */
    const char *source; /* borrowed from the layer: the place of the attribute that decided */
    char *families;     /* owned: "oauth and pat", sorted */
};

/* Chooses among the attributes; the workspace is taken as known. `environment` is asked for the
 * variables that are no attributes, such as those of CI systems. */
void auth_choose(const struct layer *layer, char *const *environment,
                 struct auth_choice *ret_choice);

/* Is there any attribute of a family with a value that is not empty? */
bool auth_is_configured(const struct layer *layer);

/* Does the SDK know a method of this name? */
bool auth_method_exists(const char *name);

void auth_choice_finish(struct auth_choice *choice);

#endif
